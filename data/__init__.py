"""Video in and out, captions, clip sources, token shards and the sprite world."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
