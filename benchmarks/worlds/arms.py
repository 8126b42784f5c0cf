"""The recipes that are compared: each is one frozen `Arm`."""

from dataclasses import dataclass, replace
from typing import Literal

from framecast.tokenizer import FSQ, VideoTokenizer, VideoTokenizerConfig

Conditioning = Literal["add", "film", "text"]
"""How actions reach the tokens: two of the video LM's own ways, or each action as a prompt of its latent frame."""

WINDOW = 16
"""Frames that the video LM sees beside the first latent frame: of every arm the same, whatever its stride."""


@dataclass(frozen=True)
class Arm:
    """A tokenizer, and how the video LM on its tokens is told what is done."""

    channels: tuple[int, ...] = (48, 96)
    """Width of each stage of the tokenizer; with two stages a token is 8 pixels square, with three 16."""
    num_blocks: tuple[int, ...] = (1, 3)
    """Blocks of each stage."""
    stride: int = 2
    """Frames of a latent frame."""
    levels: tuple[int, ...] = (8, 5, 5)
    """Of FSQ; their product is the number of codes."""
    local: bool = True
    """Whether the encoder sees nothing but what a token stands for."""
    conditioning: Conditioning = "add"
    """How actions reach the tokens."""

    def tokenizer(self) -> VideoTokenizer:
        """With random weights."""
        strides = (self.stride,) + (1,) * (len(self.channels) - 2)
        config = VideoTokenizerConfig(
            channels=self.channels, num_blocks=self.num_blocks, time_strides=strides, local_encoder=self.local
        )
        return VideoTokenizer(config, FSQ(levels=self.levels))

    @property
    def trained_as(self) -> tuple[object, ...]:
        """What the tokenizer's training depends on: arms that differ in nothing of it share one."""
        return self.channels, self.num_blocks, self.stride, self.levels, self.local


COARSE = Arm(channels=(48, 96, 128), num_blocks=(1, 2, 2), levels=(8, 8, 8, 8))

ARMS = {
    "8x8, 200 codes": Arm(),
    "8x8, 64 codes": Arm(levels=(4, 4, 4)),
    "8x8, 1,000 codes": Arm(levels=(8, 5, 5, 5)),
    "4x4, 4,096 codes": COARSE,
    "stride 1": Arm(stride=1),
    "stride 4": Arm(stride=4),
    "4x4, stride 1": replace(COARSE, stride=1),
    "encoder sees the past": Arm(local=False),
    "FiLM": Arm(conditioning="film"),
    "through text": Arm(conditioning="text"),
}
"""By the name that the table has. The first is what the others differ from."""
