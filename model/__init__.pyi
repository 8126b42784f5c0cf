from .action_encoder import ActionVectors
from .blocks import block_lengths, shift_tokens, to_grid, to_sequence
from .cache import LMState
from .config import VideoLMConfig, VideoLMShape
from .outcome import Outcome
from .text_encoder import PromptMemory
from .video_lm import LMOutput, VideoLM
from .vocabulary import TokenLoss

__all__ = [
    "ActionVectors",
    "LMOutput",
    "LMState",
    "Outcome",
    "PromptMemory",
    "TokenLoss",
    "VideoLM",
    "VideoLMConfig",
    "VideoLMShape",
    "block_lengths",
    "shift_tokens",
    "to_grid",
    "to_sequence",
]
