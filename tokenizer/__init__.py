"""Pixels to tokens and back (`VideoTokenizer`), text to ids (`TextTokenizer`)."""

import importlib
from typing import TYPE_CHECKING, Any

from .fsq import FSQ
from .health import CodebookHealth, codebook_health, count_tokens
from .network import VideoTokenizerConfig
from .quantizer import Quantized, Quantizer
from .text_tokenizer import TextTokenizer
from .video_tokenizer import DecoderState, EncoderState, TokenizerOutput, VideoTokenizer, pad_frames

if TYPE_CHECKING:
    from .quantizers import LFQ, VQ, ResidualFSQ, ResidualSimVQ, ResidualVQ, SimVQ

_LEARNED = ("LFQ", "VQ", "SimVQ", "ResidualFSQ", "ResidualVQ", "ResidualSimVQ")
"""Loaded when they are asked for: the package that learns their codebooks takes longer to load than torch."""
QUANTIZERS = ("FSQ", *_LEARNED)
"""The names of all quantizers."""

__all__ = [
    "FSQ",
    "LFQ",
    "QUANTIZERS",
    "VQ",
    "CodebookHealth",
    "DecoderState",
    "EncoderState",
    "Quantized",
    "Quantizer",
    "ResidualFSQ",
    "ResidualSimVQ",
    "ResidualVQ",
    "SimVQ",
    "TextTokenizer",
    "TokenizerOutput",
    "VideoTokenizer",
    "VideoTokenizerConfig",
    "codebook_health",
    "count_tokens",
    "pad_frames",
    "quantizer_named",
]


def quantizer_named(name: str) -> type[Quantizer]:
    """The quantizer of a name.

    Raises:
        ValueError: There is none.
    """
    if name not in QUANTIZERS:
        raise ValueError(f"unknown quantizer {name!r}; known are {', '.join(QUANTIZERS)}")
    kind: type[Quantizer] = FSQ if name == "FSQ" else __getattr__(name)
    return kind


def __getattr__(name: str) -> Any:
    if name not in _LEARNED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".quantizers", __name__), name)
