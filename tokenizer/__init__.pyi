from .config import VideoTokenizerConfig
from .fsq import FSQ
from .health import CodebookHealth, codebook_health, count_tokens
from .naming import QUANTIZERS, quantizer_named
from .quantizer import Quantized, Quantizer
from .quantizers import LFQ, VQ, ResidualFSQ, ResidualSimVQ, ResidualVQ, SimVQ, share_codebooks
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
    "quantizer_named",
    "share_codebooks",
]
