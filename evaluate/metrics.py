"""Metrics of reconstructions, on raw pixels."""

from math import log2

import torch
from torch import Tensor


def psnr(video: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each video, float32 `[B]`.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1].
        target: As `video`, in [-1, 1].

    Raises:
        ValueError: The shapes differ.
    """
    if video.shape != target.shape:
        raise ValueError(f"got videos of shape {list(video.shape)} and {list(target.shape)}; wanted the same shape")
    error = (video.float().clamp(-1, 1) - target.float()).square().flatten(1).mean(dim=1)
    return 10 * torch.log10(4 / error.clamp(min=1e-10))


def bits_per_pixel(num_tokens: int, codebook_size: int, num_pixels: int) -> float:
    """Bits that tokens take for each pixel of their video, when every token costs the same."""
    return num_tokens * log2(codebook_size) / num_pixels
