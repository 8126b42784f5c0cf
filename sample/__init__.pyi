from .batch import StreamBatch
from .bundle import Bundle, load_bundle, load_generator, save_bundle
from .bundle_files import BundleError
from .bundle_starts import add_starts, start_of_video
from .clip import Clip
from .codec import VideoCodec
from .decodings import ByBlock, ByFrame, ByRow, ByToken, Decoding, Jacobi
from .fidelity import UnfamiliarVideoWarning
from .generator import VideoGenerator
from .hub import from_pretrained, push_to_hub
from .params import SamplingParams
from .past import Past, Recipe
from .prompts import PromptWarning, UnseenWordsWarning
from .replay import Replay
from .snapshot import SnapshotError
from .starts import Start
from .steps import Frame, GeneratorState, Step
from .stream import Stream
from .token_file import TokenFileError, TokenVideo, TokenWriter, read_tokens
from .token_header import TokenHeader, describe_tokens
from .worlds import WorldEnv, WorldVectorEnv

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
    "Past",
    "PromptWarning",
    "Recipe",
    "Replay",
    "SamplingParams",
    "SnapshotError",
    "Start",
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
    "WorldEnv",
    "WorldVectorEnv",
    "add_starts",
    "describe_tokens",
    "from_pretrained",
    "load_bundle",
    "load_generator",
    "push_to_hub",
    "read_tokens",
    "save_bundle",
    "start_of_video",
]
