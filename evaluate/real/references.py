"""What costs nothing and makes a video: references, so that a figure beside them says something."""

import torch.nn.functional as F
from einops import rearrange, reduce, repeat
from torch import Tensor


def repeated(video: Tensor, at: int, count: int) -> Tensor:
    """One frame of a video `[B, C, T, H, W]`, `count` times."""
    return repeat(video[:, :, at], "b c h w -> b c t h w", t=count)


def mean_colour(video: Tensor) -> Tensor:
    """Each frame of a video `[B, C, T, H, W]` as one colour, the mean of its pixels."""
    return reduce(video, "b c t h w -> b c t 1 1", "mean").expand_as(video)


def one_colour_per_place(video: Tensor, stride: int) -> Tensor:
    """Each frame of a video `[B, C, T, H, W]` with one colour for each `stride` x `stride` pixels, and smooth between them."""
    frames = rearrange(video, "b c t h w -> (b t) c h w")
    small = F.avg_pool2d(frames, stride)
    smooth = F.interpolate(small, size=video.shape[3:], mode="bilinear", align_corners=False)
    return rearrange(smooth, "(b t) c h w -> b c t h w", b=len(video))
