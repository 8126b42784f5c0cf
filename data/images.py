"""Animated pictures, APNG and WebP (lossless) and GIF (256 colours), and single ones, as bytes."""

import io
import math
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor

MAX_FPS = 1000.0


def encode_apng(frames: Tensor | np.ndarray, fps: float) -> bytes:
    """Encodes frames as an animated PNG, without loss; TensorBoard, browsers and notebooks play it.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        fps: Frames per second, in (0, 1000]; times are kept to the millisecond and do not drift.

    Raises:
        ValueError: If `frames` or `fps` are not as stated.
    """
    return _encode(frames, fps, tick_ms=1, format="PNG", default_image=False)


def encode_webp(frames: Tensor | np.ndarray, fps: float, loops: int = 0) -> bytes:
    """Encodes frames as an animated WebP, without loss; arguments as for `encode_apng`.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        fps: Frames per second, in (0, 1000].
        loops: How often it plays before it stays at its last frame; 0 is for ever.
    """
    return _encode(frames, fps, tick_ms=1, format="WEBP", lossless=True, quality=50, loop=loops)


def encode_gif(frames: Tensor | np.ndarray, fps: float) -> bytes:
    """Encodes frames as a GIF of 256 colours per frame; arguments as for `encode_apng`.

    GIF counts time in hundredths of a second, so single frames are up to 5 ms early or late.
    """
    return _encode(frames, fps, tick_ms=10, palette=True, format="GIF", optimize=False)


def encode_png(frame: Tensor | np.ndarray) -> bytes:
    """Encodes one picture uint8 `[H, W, 3]` as a PNG, without loss.

    Raises:
        ValueError: It is none.
    """
    buffer = io.BytesIO()
    Image.fromarray(check_frames(frame[None], 1)[0]).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def check_frames(frames: Tensor | np.ndarray, fps: float) -> np.ndarray:
    """Returns the frames as a numpy array, or says what is wrong with them.

    Args:
        frames: uint8 `[T, H, W, 3]`, on any device.
        fps: Frames per second, in (0, 1000].

    Raises:
        ValueError: If there is no frame, or dtype, shape or rate are wrong.
    """
    if not math.isfinite(fps) or not 0 < fps <= MAX_FPS:
        raise ValueError(f"fps is {fps}; wanted frames per second above 0 and up to {MAX_FPS:g}; e.g. pass 12")
    array = frames.detach().cpu().numpy() if isinstance(frames, torch.Tensor) else np.asarray(frames)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3 or 0 in array.shape:
        raise ValueError(
            f"frames are {array.dtype} {list(array.shape)}; wanted uint8 [T, H, W, 3] with at least one frame; "
            "turn a video [C, T, H, W] in [-1, 1] into frames with `to_frames`"
        )
    return array


def _encode(frames, fps: float, tick_ms: int, palette: bool = False, loop: int = 0, **options) -> bytes:
    images = [Image.fromarray(frame) for frame in check_frames(frames, fps)]
    if palette:
        images = [image.quantize(256, dither=Image.Dither.NONE) for image in images]
    buffer = io.BytesIO()
    durations = _durations(len(images), fps, tick_ms)
    images[0].save(buffer, save_all=True, append_images=images[1:], duration=durations, loop=loop, **options)
    return buffer.getvalue()


def _durations(num_frames: int, fps: float, tick_ms: int) -> list[int]:
    """Milliseconds per frame, in whole ticks, whose sum never strays more than half a tick from the true time."""
    ticks = [round(index * 1000 / fps / tick_ms) for index in range(num_frames + 1)]
    return [(after - before) * tick_ms for before, after in pairwise(ticks)]
