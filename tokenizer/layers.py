"""Causal layers on features `[B, T, H, W, C]` (channels last in memory), each streaming by a state of its caller.

Only `TemporalMix` looks across time, so it is the only layer with a state. Rates change by reshape, which needs none. Nothing
is normalised over time: a statistic over a clip would let the future change the past.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..machine import trains_on_cpu
from ..state import State, States
from . import cpu


@dataclass
class ConvState(State):
    """The frames a causal temporal layer has seen last.

    Attributes:
        past: `[B, reach, H, W, C]`, oldest first; zeros before the first frame.
    """

    past: Tensor


class SpatialConv(nn.Module):
    """A convolution of every frame by itself. `[B, T, H, W, C_in]` -> `[B, T, H, W, C_out]`."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        weight = self.conv.weight.detach().contiguous(memory_format=torch.channels_last)
        self.conv.weight = nn.Parameter(weight)  # else small pictures pay for a copy of the weights each time

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        images = rearrange(x, "b t h w c -> (b t) c h w")  # a view: channels-last strides, so no copy
        images = self.conv(images.contiguous(memory_format=torch.channels_last))
        y: Tensor = rearrange(images, "(b t) c h w -> b t h w c", b=batch)
        return y


class TemporalMix(nn.Module):
    """A causal temporal convolution: a linear map of this frame and the `reach` frames before it, at every position.

    Starts as zero, so that a residual block starts as the identity.
    """

    def __init__(self, channels: int, reach: int = 2):
        super().__init__()
        self.reach = reach
        self.linear = nn.Linear((reach + 1) * channels, channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def init_state(self, batch_size: int, height: int, width: int) -> ConvState:
        """The state before the first frame of a `height` x `width` feature map."""
        weight = self.linear.weight
        return ConvState(weight.new_zeros(batch_size, self.reach, height, width, weight.shape[0]))

    def forward(self, x: Tensor, state: ConvState | None = None) -> Tensor:
        y: Tensor
        if self.reach == 0:
            y = self.linear(x)
            return y
        state = state or self.init_state(x.shape[0], x.shape[2], x.shape[3])
        frames = torch.cat([state.past.to(x.dtype), x], dim=1)
        state.past = frames[:, frames.shape[1] - self.reach :]
        if trains_on_cpu(x):
            return cpu.mix_by_convolution(frames, self.linear)
        shifted = [frames[:, i : i + x.shape[1]] for i in range(self.reach + 1)]
        y = self.linear(torch.cat(shifted, dim=-1))
        return y


class ResidualBlock(nn.Module):
    """Normalise per position, mix in space, normalise, mix in time; added to the input.

    Args:
        channels: Width.
        kernel_size: Side of the square that is mixed in space; 1 is the position alone.
        reach: Frames before this one that are mixed in time; 0 is this frame alone.
    """

    def __init__(self, channels: int, kernel_size: int = 3, reach: int = 2):
        super().__init__()
        self.norm_space = nn.LayerNorm(channels)
        self.space = SpatialConv(channels, channels, kernel_size)
        self.norm_time = nn.LayerNorm(channels)
        self.time = TemporalMix(channels, reach)

    def init_state(self, batch_size: int, height: int, width: int) -> ConvState:
        return self.time.init_state(batch_size, height, width)

    def forward(self, x: Tensor, state: ConvState | None = None) -> Tensor:
        h = self.space(F.silu(self.norm_space(x)))
        y: Tensor = x + self.time(F.silu(self.norm_time(h)), state)
        return y


class Stage(nn.Module):
    """Residual blocks of one shape at one resolution. Its state is the tuple of its blocks' states."""

    def __init__(self, channels: int, num_blocks: int, kernel_size: int = 3, reach: int = 2):
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(channels, kernel_size, reach) for _ in range(num_blocks))

    def init_state(self, batch_size: int, height: int, width: int) -> States:
        blocks = cast(list[ResidualBlock], self.blocks)  # a ModuleList does not say what it holds
        return States(block.init_state(batch_size, height, width) for block in blocks)

    def forward(self, x: Tensor, state: States | None = None) -> Tensor:
        for block, block_state in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x = block(x, block_state)
        return x


class Downsample(nn.Module):
    """Folds `time` frames and a `space` x `space` square into channels, then maps linearly.

    `[B, T, H, W, C_in]` -> `[B, T / time, H / space, W / space, C_out]`; T is a multiple of `time`.
    """

    def __init__(self, in_channels: int, out_channels: int, time: int, space: int):
        super().__init__()
        self.time, self.space = time, space
        self.linear = nn.Linear(in_channels * time * space * space, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        pattern = "b (t i) (h j) (w k) c -> b t h w (i j k c)"
        y: Tensor = self.linear(rearrange(x, pattern, i=self.time, j=self.space, k=self.space))
        return y


class Upsample(nn.Module):
    """The mirror of `Downsample`. `[B, T, H, W, C_in]` -> `[B, T * time, H * space, W * space, C_out]`."""

    def __init__(self, in_channels: int, out_channels: int, time: int, space: int):
        super().__init__()
        self.time, self.space = time, space
        self.linear = nn.Linear(in_channels, out_channels * time * space * space)

    def forward(self, x: Tensor) -> Tensor:
        pattern = "b t h w (i j k c) -> b (t i) (h j) (w k) c"
        y: Tensor = rearrange(self.linear(x), pattern, i=self.time, j=self.space, k=self.space)
        return y
