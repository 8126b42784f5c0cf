"""Trained tokenizer and LM to frames: `VideoGenerator`, streams, clips, bundles. Never imports Lightning."""

from .bundle import Bundle, BundleError, load_bundle, load_generator, save_bundle
from .clip import Clip
from .generator import GeneratorState, Step, VideoGenerator
from .params import SamplingParams
from .stream import Frame, Stream

__all__ = [
    "Bundle",
    "BundleError",
    "Clip",
    "Frame",
    "GeneratorState",
    "SamplingParams",
    "Step",
    "Stream",
    "VideoGenerator",
    "load_bundle",
    "load_generator",
    "save_bundle",
]
