"""Tokens and text to next tokens: `VideoLM`, its KV cache and its position embedding."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
