"""Environments that others made: recording them, and running what was recorded again."""

from ...faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
