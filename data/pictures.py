"""Pictures that come from anywhere, such as a photo that somebody drops on a page: to pixels of one size."""

import io
import struct
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image

T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Only these readers of Pillow are tried: the others are many, and old."""
MAX_PIXELS = 40_000_000
"""Of a picture that is read; a camera's have fewer. Reading as many takes about a second and 160 MB."""

_ORIENTATION = 0x0112  # the tag of EXIF
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, MemoryError)


def decode_picture(data: bytes, size: tuple[int, int], most: int = MAX_PIXELS) -> np.ndarray:
    """The pixels uint8 `[H, W, 3]` of a PNG, JPEG, WebP or GIF file of any size; of a file that moves, the first frame.

    The picture is turned upright as the camera has said, and scaled so that it covers `size`. What is too wide or too high is
    cut off on both sides alike. What is transparent becomes white.

    Args:
        data: The file, which need not be trusted: size and kind are known before a pixel is decoded.
        size: Rows and columns of the result.
        most: Pixels that the picture may have.

    Raises:
        ValueError: It is damaged, of another kind, or has more pixels.
    """
    with _read(lambda: Image.open(io.BytesIO(data), formats=FORMATS), "is no PNG, JPEG, WebP or GIF file") as image:
        if image.width * image.height > most:
            raise ValueError(
                f"got a picture of {image.width} x {image.height} pixels; wanted at most {most / 1e6:g} million; scale it down"
            )
        return _read(lambda: _fitted(image, size), "is damaged")


def _read(reader: Callable[[], T], problem: str) -> T:
    """What `reader` gives; damaged files make Pillow raise errors of many kinds."""
    try:
        return reader()
    except (*_DAMAGED, struct.error, Image.DecompressionBombError) as error:
        raise ValueError(f"got a picture that {problem}; wanted a whole one; save the picture anew as PNG or JPEG") from error


def _fitted(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """uint8 `[H, W, 3]`: upright, covering `size`, on white."""
    turn = image.getexif().get(_ORIENTATION)
    height, width = reversed(size) if turn in _SIDEWAYS else size
    image.draft("RGB", (2 * width, 2 * height))  # a JPEG is decoded at a part of its size
    box = _middle(image.size, (width, height))
    fitted = _in_colour(image).resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    if fitted.mode == "RGBA":
        ground = Image.new("RGBA", fitted.size, "white")
        fitted = Image.alpha_composite(ground, fitted).convert("RGB")
    return np.array(fitted.transpose(_TURNS[turn]) if turn in _TURNS else fitted)


def _middle(found: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box about the centre of a picture of `found` columns and rows that has the shape of `wanted`."""
    scale = min(found[0] / wanted[0], found[1] / wanted[1])
    width, height = wanted[0] * scale, wanted[1] * scale
    left, top = (found[0] - width) / 2, (found[1] - height) / 2
    return left, top, min(left + width, found[0]), min(top + height, found[1])


def _in_colour(image: Image.Image) -> Image.Image:
    """The same as RGB, or as RGBA if anything may be seen through it."""
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow would cut off all above 255
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
