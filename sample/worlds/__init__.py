"""Worlds as environments of Gymnasium; loaded when they are first used, since they need that package."""

from ...faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
