"""Trained tokenizer and LM to frames: `VideoGenerator`, streams, clips, bundles. Never imports Lightning."""

from ..faces import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
