"""Streams shown frame by frame: server, page, client, and the player of notebooks."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
