"""Rotary position embedding over (t, h, w); angles come from exact integers, so a stream never runs out of positions."""

import torch
from torch import Tensor

TIME_BASE = 10_000.0
SPACE_BASE = 100.0


def split_pairs(head_dim: int) -> tuple[int, int, int]:
    """How many of the `head_dim / 2` rotated pairs go to t, h and w; 12, 10 and 10 at head width 64."""
    space = head_dim * 5 // 32
    return head_dim // 2 - 2 * space, space, space


def rotary(positions: Tensor, head_dim: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of 3D rotary position embedding (Su et al. 2021, one band of frequencies per axis).

    Args:
        positions: int64 `[..., 3]`, the place (t, h, w) of every token.
        head_dim: Width D of a head.

    Returns:
        Two float32 tensors `[..., D / 2]`. Angles are computed in float64, where frame ten million is as exact as frame ten.
    """
    bands = []
    for axis, (pairs, base) in enumerate(zip(split_pairs(head_dim), (TIME_BASE, SPACE_BASE, SPACE_BASE), strict=True)):
        exponents = torch.arange(pairs, dtype=torch.float64, device=positions.device) / max(pairs, 1)
        bands.append(positions[..., axis : axis + 1].double() * base**-exponents)
    angles = torch.cat(bands, dim=-1)
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Turns the pairs `(x[..., i], x[..., i + D / 2])`. `x` `[B, N, S, D]`; cosines and sines `[..., S, D / 2]`."""
    cos, sin = (part.to(x.dtype) for part in angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def frame_positions(frames: Tensor, height: int, width: int) -> Tensor:
    """Places of all tokens of some latent frames in raster order: `[..., F]` -> int64 `[..., F * height * width, 3]`."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=frames.device), torch.arange(width, device=frames.device), indexing="ij"
    )
    shape = (*frames.shape, height, width)
    time = frames[..., None, None].expand(shape)
    return torch.stack([time, rows.expand(shape), columns.expand(shape)], dim=-1).flatten(-4, -2)
