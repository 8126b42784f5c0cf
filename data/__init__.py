"""Video in and out, captions, clip sources, token shards and the sprite world."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
