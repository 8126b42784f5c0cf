"""Figures that say how good a video is: of the tokenizer, of the video LM, and of what they make together."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
