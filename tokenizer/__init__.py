"""Pixels to tokens and back (`VideoTokenizer`), text to ids (`TextTokenizer`)."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
