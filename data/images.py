"""Pictures as bytes: single ones, and animated APNG and WebP (lossless) and GIF (256 colours)."""

import io
import math
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .animations import hold_webp, join_png

MAX_FPS = 1000.0
_IMAGE_OPTIONS: dict[str, dict] = {
    "png": {"format": "PNG", "compress_level": 1},
    "webp": {"format": "WEBP", "lossless": True, "quality": 0, "method": 0},
    "jpeg": {"format": "JPEG", "quality": 92, "subsampling": 0},
}


def encode_apng(frames: Tensor | np.ndarray, fps: float) -> bytes:
    """Encodes frames as an animated PNG, without loss; TensorBoard, browsers and notebooks play it.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        fps: Frames per second, in (0, 1000]; times are kept to the millisecond and do not drift.

    Raises:
        ValueError: If `frames` or `fps` are not as stated.
    """
    array = check_frames(frames, fps)
    return join_png(array, _durations(len(array), fps, tick_ms=1))


def encode_webp(frames: Tensor | np.ndarray, fps: float, loops: int = 0) -> bytes:
    """Encodes frames as an animated WebP, without loss; arguments as for `encode_apng`.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        fps: Frames per second, in (0, 1000].
        loops: How often it plays before it stays at its last frame; 0 is for ever.
    """
    array = check_frames(frames, fps)
    if (array == array[0]).all():  # the library makes a picture without a time of it
        return hold_webp(encode_image(array[0], "webp"), array.shape[1:3], _durations(len(array), fps, tick_ms=1), loops)
    return _encode(array, fps, tick_ms=1, format="WEBP", lossless=True, quality=50, loop=loops)


def encode_gif(frames: Tensor | np.ndarray, fps: float) -> bytes:
    """Encodes frames as a GIF of 256 colours per frame; arguments as for `encode_apng`.

    GIF counts time in hundredths of a second, so single frames are up to 5 ms early or late.
    """
    return _encode(frames, fps, tick_ms=10, palette=True, format="GIF", optimize=False)


def encode_image(image: Tensor | np.ndarray, format: str) -> bytes:
    """Encodes one frame, uint8 `[H, W, 3]`, as "png" or "webp" (both lossless) or "jpeg"."""
    buffer = io.BytesIO()
    pixels = image.cpu().numpy() if isinstance(image, torch.Tensor) else image
    Image.fromarray(pixels).save(buffer, **_IMAGE_OPTIONS[format])
    return buffer.getvalue()


def decode_image(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """The pixels uint8 `[H, W, 3]` of a PNG, WebP or JPEG file that may come from anywhere; nothing is decoded of another size.

    Args:
        data: The file.
        size: Rows and columns that it must have.

    Raises:
        ValueError: It is damaged, of another kind, or of another size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP", "JPEG")) as image:
            if image.size != (size[1], size[0]):
                raise ValueError(f"{image.size[1]} x {image.size[0]} pixels; wanted {size[0]} x {size[1]}; scale it first")
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"got a picture that cannot be used: {error}") from error


def check_frames(frames: Tensor | np.ndarray, fps: float) -> np.ndarray:
    """Returns the frames as a numpy array, or says what is wrong with them.

    Args:
        frames: uint8 `[T, H, W, 3]`, on any device.
        fps: Frames per second, in (0, 1000].

    Raises:
        ValueError: If there is no frame, or dtype, shape or rate are wrong.
    """
    if not isinstance(fps, int | float | np.number) or not math.isfinite(fps) or not 0 < fps <= MAX_FPS:
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
