"""What exists for speed on a CPU alone; the layers have the formulas, and `layers.py` says where this takes their place."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


def mix_by_convolution(frames: Tensor, linear: nn.Linear) -> Tensor:
    """A causal temporal convolution without copies of the shifted frames, which is faster with gradients.

    Args:
        frames: `[B, reach + T, H, W, C]`, the frames of the past first.
        linear: The map of `reach + 1` frames to one, `[C, (reach + 1) * C]`.

    Returns:
        `[B, T, H, W, C]`.
    """
    kernel = rearrange(linear.weight, "o (i c) -> o c i 1", c=frames.shape[-1])
    columns = rearrange(frames, "b t h w c -> b c t (h w)")
    mixed = F.conv2d(columns, kernel.contiguous(memory_format=torch.channels_last), linear.bias)
    return rearrange(mixed, "b c t (h w) -> b t h w c", h=frames.shape[2])
