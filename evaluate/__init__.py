"""Figures that say how good a video is: of the tokenizer, of the video LM, and of what they make together."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
