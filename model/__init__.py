"""Tokens and text to next tokens: `VideoLM`, its KV cache and its position embedding."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
