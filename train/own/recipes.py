"""What is trained: of plain videos, and of videos with actions, which become a world to play in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...model import VideoLMShape
from ...tokenizer import VideoTokenizerConfig
from ..losses import ReconstructionLoss
from .sizes import (
    LEVELS,
    LMS,
    NUM_FRAMES,
    TIME_STRIDE,
    Rung,
    levels_for,
    lm_batch,
    lm_shape,
    prompt_length,
    stride_of,
    tokenizer_shape,
)
from .worlds import Played

SMALLEST_COARSE = 64
"""From this size on, a token of a world stands for 16 x 16 pixels."""
_WORLD_TOKENIZERS = {
    "large": ((96, 192, 256), (1, 2, 2)),
    "base": ((48, 96, 128), (1, 2, 2)),
    "small": ((32, 64, 96), (1, 2, 2)),
    "tiny": ((32, 64, 64), (1, 1, 1)),
}
_WORLD_LMS = {  # width, layers, heads, width of the feed-forward layers: few wide layers, since in play a layer costs its calls
    "huge": (512, 6, 8, 1408),
    "large": (384, 5, 6, 1056),
    "base": (256, 4, 4, 704),
    "small": (192, 3, 3, 512),
    "tiny": (128, 2, 2, 352),
}
_LARGEST_IN_PLAY = "base"
"""A CPU makes no frame of a larger video LM in time."""


class Recipe(ABC):
    """The networks of each size, and how they are trained.

    Attributes:
        time_stride: Frames of a latent frame.
        loss: Of the tokenizer.
        lm_rate: Learning rate of the video LM.
        lm_options: What else `LitVideoLM` is told.
    """

    time_stride = TIME_STRIDE
    loss = ReconstructionLoss(l1=0.0, l2=4.0, structure=0.0)
    lm_rate = 2e-3
    lm_options: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def stride_of(self, size: int) -> int:
        """Pixels per token along a side, for frames of `size`."""

    @abstractmethod
    def levels(self, seconds: float) -> tuple[int, ...]:
        """Levels of the quantizer, for so much video."""

    @abstractmethod
    def tokenizer_shape(self, rung: str, size: int) -> VideoTokenizerConfig:
        """The tokenizer of a rung of `TOKENIZERS`, for frames of `size`."""

    @abstractmethod
    def lm_shape(self, rung: str, longest_caption: int) -> VideoLMShape:
        """The video LM of a rung of `LMS`, for captions of `longest_caption` bytes."""

    def lms(self, seconds: float, on_gpu: bool) -> list[Rung]:
        """The rungs of `LMS` that so much video is enough for."""
        return [rung for rung in LMS if rung.least_video <= seconds]

    @property
    def latent_frames(self) -> int:
        """Latent frames of a clip."""
        return 1 + (NUM_FRAMES - 1) // self.time_stride

    def side(self, size: int) -> int:
        """Tokens along a side of a frame."""
        return size // self.stride_of(size)

    def lm_batch(self, size: int, on_gpu: bool) -> int:
        """Clips a step of the video LM."""
        return lm_batch(self.side(size) ** 2 * self.latent_frames, on_gpu)


class OfVideos(Recipe):
    """A model that goes on with videos and draws prompts."""

    def stride_of(self, size: int) -> int:
        return stride_of(size)

    def levels(self, seconds: float) -> tuple[int, ...]:
        return levels_for(seconds)

    def tokenizer_shape(self, rung: str, size: int) -> VideoTokenizerConfig:
        return tokenizer_shape(rung, size)

    def lm_shape(self, rung: str, longest_caption: int) -> VideoLMShape:
        return lm_shape(rung, longest_caption)


class OfWorld(Recipe):
    """A world: a key shows in the next frame, and few tokens a frame let two cores make each in time.

    It is that of `train/configs/world_tokenizer.yaml` and `world_lm.yaml`, in several sizes.

    Args:
        played: What was done in its videos.
    """

    time_stride = 1
    loss = ReconstructionLoss(l1=0.5, l2=4.0, structure=0.25)
    lm_rate = 3e-3
    lm_options = MappingProxyType(
        {
            "blocks": {"token": 0.0, "row": 1.0, "frame": 0.0},  # as play makes them
            "corruption": 0.05,
            "action_dropout": 0.1,
        }
    )

    def __init__(self, played: Played):
        self._played = played

    def stride_of(self, size: int) -> int:
        is_coarse = size >= SMALLEST_COARSE and size % 16 == 0
        return 16 if is_coarse else stride_of(size)

    def levels(self, seconds: float) -> tuple[int, ...]:
        return LEVELS if self._played.drawn else levels_for(seconds)

    def tokenizer_shape(self, rung: str, size: int) -> VideoTokenizerConfig:
        channels, blocks = _WORLD_TOKENIZERS[rung]
        stages = 2 if self.stride_of(size) == 8 else 3
        return VideoTokenizerConfig(
            channels=channels[:stages],
            num_blocks=blocks[:stages],
            time_strides=(self.time_stride,) * (stages - 1),
            local_encoder=True,
        )

    def lm_shape(self, rung: str, longest_caption: int) -> VideoLMShape:
        width, layers, heads, mlp = _WORLD_LMS[rung]
        return VideoLMShape(
            width=width,
            num_layers=layers,
            num_heads=heads,
            num_kv_heads=1,
            mlp_width=mlp,
            text_width=64,
            text_layers=1,
            max_prompt_length=prompt_length(longest_caption),
            context_frames=16,
            rewards=self._played.rewards,
            ends=self._played.ends,
        )

    def lms(self, seconds: float, on_gpu: bool) -> list[Rung]:
        enough = super().lms(seconds, on_gpu)
        largest = next(place for place, rung in enumerate(LMS) if rung.name == _LARGEST_IN_PLAY)
        return enough if on_gpu else [rung for rung in enough if rung in LMS[largest:]]


def recipe_for(played: Played | None) -> Recipe:
    """What is trained of videos in which this was done."""
    return OfVideos() if played is None else OfWorld(played)
