"""Metrics of videos on raw pixels: against a target, and of a video alone.

Videos are float `[B, C, T, H, W]` in [-1, 1] and clamped to that range, since no screen shows more. If a figure is "in levels" it
is on the scale of 8-bit pictures, 0 to 255.
"""

from math import log2

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor

_WINDOW, _SIGMA = 11, 1.5  # of SSIM, in pixels
_BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weight of each scale of MS-SSIM, the finest first
_BLOCK = 8  # pixels


def psnr(video: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each video, float32 `[B]`.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1].
        target: As `video`, in [-1, 1].

    Raises:
        ValueError: The shapes differ.
    """
    _check_same_shape(video, target)
    error = (video.float().clamp(-1, 1) - target.float()).square().mean(dim=(1, 2, 3, 4))
    return 10 * torch.log10(4 / error.clamp(min=1e-10))


def bits_per_pixel(num_tokens: int, codebook_size: int, num_pixels: int) -> float:
    """Bits that tokens take for each pixel of their video, when every token costs the same."""
    return num_tokens * log2(codebook_size) / num_pixels


def ssim(video: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of each video, the mean over its frames, float32 `[B]`, at most 1.

    Only windows that lie wholly inside the picture count ("Image quality assessment", Wang et al. 2004). Each channel is compared
    by itself, with black as 0. The figure is right to about 1e-4.

    Args:
        video: `[B, C, T, H, W]`, at least 11 x 11 pixels; clamped to [-1, 1].
        target: As `video`.

    Raises:
        ValueError: The shapes differ, or are not as above.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # importing it takes a second

    pictures, targets = _pictures(video, target)
    _, similarity = structural_similarity_index_measure(
        pictures, targets, sigma=_SIGMA, kernel_size=_WINDOW, data_range=2.0, reduction="none", return_full_image=True
    )
    edge = _WINDOW // 2
    inside = similarity[..., edge:-edge, edge:-edge]
    return reduce(inside, "(b t) c h w -> b", "mean", b=len(video))


def ms_ssim(video: Tensor, target: Tensor) -> Tensor:
    """Structural similarity at several scales of each video, the mean over its frames, float32 `[B]` in [0, 1].

    "Multiscale structural similarity", Wang et al. 2003, with its weights for five scales. Each scale halves the picture, and the
    last must still hold a window: five scales take 176 pixels. Smaller pictures get as many scales as fit, three at 64 pixels.
    The weights of these are divided by their sum, so figures of pictures of different sizes do not compare. Takes and
    raises what `ssim` does.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    pictures, targets = _pictures(video, target)
    betas = _betas(min(video.shape[3:]))
    similarity = multiscale_structural_similarity_index_measure(
        pictures, targets, sigma=_SIGMA, kernel_size=_WINDOW, data_range=2.0, reduction="none", betas=betas
    )
    return reduce(similarity, "(b t) -> b", "mean", b=len(video))


def temporal_error(video: Tensor, target: Tensor) -> Tensor:
    """Error of what changes from frame to frame, in levels, float32 `[B]`.

    The error is the root mean square of the difference between the frame differences of both videos. An error that stays the same
    in all frames does not count: this is the trembling that PSNR, frame by frame, cannot tell from a blur. The error of a single
    frame is 0.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1].
        target: As `video`.

    Raises:
        ValueError: The shapes differ, or are not as above.
    """
    _check_same_shape(video, target)
    error = (_levels(video) - _levels(target)).diff(dim=2)
    return error.square().flatten(1).mean(dim=1).sqrt() if error.shape[2] else _zeros(video)


def flicker(video: Tensor) -> Tensor:
    """How far pixels leave their course for one frame and come back, in levels, float32 `[B]`.

    The figure is the mean over pixels of the distance from `x[t]` to the median of `x[t-1], x[t], x[t+1]`. A pixel's distance is
    how far it lies outside of what its two neighbours in time span. The second difference over time would count each edge that
    moves by. This distance is 0 wherever a pixel rises or falls steadily or in one step, so motion, fades and cuts hardly count.
    One frame of T that is brighter by d levels gives d / (T - 2). The figure is 0 below three frames.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1].

    Raises:
        ValueError: The shape is not as above.
    """
    levels = _levels(video)
    if levels.shape[2] < 3:
        return _zeros(video)
    before, here, after = levels[:, :, :-2], levels[:, :, 1:-1], levels[:, :, 2:]
    above = here - torch.maximum(before, after)
    below = torch.minimum(before, after) - here
    return torch.maximum(above, below).clamp(min=0).flatten(1).mean(dim=1)


def sharpness(video: Tensor) -> Tensor:
    """Sharpness of each video, in levels per pixel, float32 `[B]`: the mean of `sharpness_by_frame`."""
    return sharpness_by_frame(video).mean(dim=1)


def sharpness_by_frame(video: Tensor) -> Tensor:
    """Root mean square of the gradient of the brightness of each frame, in levels per pixel, float32 `[B, T]`.

    Brightness is the mean of the channels; the gradient is made of forward differences. The gradient is squared, since its mean
    length stays the same if an edge only widens. Noise counts as sharp, so the figure is for comparing with that of the true
    video, or of later frames with earlier ones.

    Args:
        video: `[B, C, T, H, W]`, at least 2 x 2 pixels; clamped to [-1, 1].

    Raises:
        ValueError: The shape is not as above.
    """
    brightness = _levels(video, least=2).mean(dim=1)  # [B, T, H, W]
    down = brightness.diff(dim=2)[..., :-1]
    right = brightness.diff(dim=3)[..., :-1, :]
    return reduce(down.square() + right.square(), "b t h w -> b t", "mean").sqrt()


def motion_by_frame(video: Tensor) -> Tensor:
    """Mean absolute difference of each frame to the one before it, in levels, float32 `[B, T - 1]`.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1].

    Raises:
        ValueError: The shape is not as above.
    """
    return reduce(_levels(video).diff(dim=2).abs(), "b c t h w -> b t", "mean")


def frozen_share(video: Tensor, threshold: float = 5.0) -> Tensor:
    """Share of the steps from frame to frame in which nothing moves, float32 `[B]` in [0, 1].

    Nothing moves if every block of 8 x 8 pixels changes by less than the threshold, as the root mean square over its pixels
    and channels. Blocks are compared, so that one small object in a large picture is motion. Changes are squared, so that the few
    pixels an edge moves over outweigh noise everywhere: noise of up to 2 levels in each frame never gets above 4. The share is 1
    for a single frame.

    Args:
        video: `[B, C, T, H, W]`; clamped to [-1, 1]. Blocks at the right and lower borders may be smaller.
        threshold: In levels, above 0.

    Raises:
        ValueError: The shape or the threshold is not as above.
    """
    if not threshold > 0:
        raise ValueError(f"got threshold {threshold}; wanted levels above 0, since no change is below 0; 5 ignores rounding")
    change = reduce(_levels(video).diff(dim=2).square(), "b c t h w -> b t h w", "mean")
    if not change.shape[1]:
        return _zeros(video) + 1
    blocks = F.avg_pool2d(change, _BLOCK, ceil_mode=True)
    largest = reduce(blocks, "b t h w -> b t", "max").sqrt()
    return (largest < threshold).float().mean(dim=1)


def _pictures(video: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The frames of both videos, `[B * T, C, H, W]` in [0, 2], since SSIM wants brightness relative to black."""
    _check_same_shape(video, target)
    _check_video(video, least=_WINDOW)
    first, second = (rearrange(x.float().clamp(-1, 1) + 1, "b c t h w -> (b t) c h w") for x in (video, target))
    return first, second


def _betas(size: int) -> tuple[float, ...]:
    """Weights of the scales that fit a picture with `size` pixels at its shorter side."""
    fits = [
        scale for scale in range(len(_BETAS)) if size // max(2**scale, scale**2) >= _WINDOW
    ]  # scale**2: torchmetrics' own rule
    betas = _BETAS[: len(fits)]
    return tuple(beta / sum(betas) for beta in betas)


def _levels(video: Tensor, least: int = 1) -> Tensor:
    """float32 `[B, C, T, H, W]` on the scale 0 to 255."""
    _check_video(video, least)
    return (video.float().clamp(-1, 1) + 1) * 127.5


def _zeros(video: Tensor) -> Tensor:
    return torch.zeros(len(video), device=video.device)


def _check_same_shape(video: Tensor, target: Tensor) -> None:
    if video.shape != target.shape:
        raise ValueError(f"got videos of shape {list(video.shape)} and {list(target.shape)}; wanted the same shape")


def _check_video(video: Tensor, least: int) -> None:
    if video.ndim != 5 or not video.is_floating_point() or min(video.shape[3:]) < least or not video.shape[2]:
        raise ValueError(
            f"got a video of shape {list(video.shape)} and dtype {video.dtype}; wanted float [B, C, T, H, W] in [-1, 1] with "
            "at "
            f"least {least}x{least} pixels; uint8 frames become one with `framecast.data.to_video`"
        )
