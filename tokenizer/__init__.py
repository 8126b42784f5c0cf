"""Pixels to tokens and back (`VideoTokenizer`), text to ids (`TextTokenizer`)."""

from .health import CodebookHealth, codebook_health, count_tokens
from .network import VideoTokenizerConfig
from .quantizer import Quantized, Quantizer
from .quantizers import FSQ, LFQ, QUANTIZERS, VQ, ResidualFSQ, ResidualSimVQ, ResidualVQ, SimVQ
from .text_tokenizer import TextTokenizer
from .video_tokenizer import DecoderState, EncoderState, TokenizerOutput, VideoTokenizer, pad_frames

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
]
