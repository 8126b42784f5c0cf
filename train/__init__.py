"""Training: `framecast train`, Lightning modules, losses, callbacks and the shipped configurations."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
