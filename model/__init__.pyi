from .blocks import block_lengths, shift_tokens, to_grid, to_sequence
from .cache import LMState
from .text_encoder import PromptMemory
from .video_lm import LMOutput, VideoLM, VideoLMConfig, VideoLMShape
from .vocabulary import TokenLoss

__all__ = [
    "LMOutput",
    "LMState",
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
