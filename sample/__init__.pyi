from .batch import StreamBatch
from .bundle import Bundle, load_bundle, load_generator, save_bundle
from .bundle_files import BundleError
from .clip import Clip
from .codec import VideoCodec
from .decodings import ByBlock, ByFrame, ByRow, ByToken, Decoding, Jacobi
from .fidelity import UnfamiliarVideoWarning
from .generator import VideoGenerator
from .params import SamplingParams
from .prompts import PromptWarning, UnseenWordsWarning
from .snapshot import SnapshotError
from .steps import Frame, GeneratorState, Step
from .stream import Stream
from .token_file import TokenFileError, TokenVideo, TokenWriter, read_tokens
from .token_header import TokenHeader, describe_tokens

__all__ = [
    "Bundle",
    "BundleError",
    "ByBlock",
    "ByFrame",
    "ByRow",
    "ByToken",
    "Clip",
    "Decoding",
    "Frame",
    "GeneratorState",
    "Jacobi",
    "PromptWarning",
    "SamplingParams",
    "SnapshotError",
    "Step",
    "Stream",
    "StreamBatch",
    "TokenFileError",
    "TokenHeader",
    "TokenVideo",
    "TokenWriter",
    "UnfamiliarVideoWarning",
    "UnseenWordsWarning",
    "VideoCodec",
    "VideoGenerator",
    "describe_tokens",
    "load_bundle",
    "load_generator",
    "read_tokens",
    "save_bundle",
]
