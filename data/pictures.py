"""Pictures that come from anywhere, such as a photo that somebody drops on a page: to pixels of one size."""

import io
import struct
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image

from .fitting import fit_picture

T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Only these readers of Pillow are tried: the others are many, and old."""
MAX_PIXELS = 40_000_000
"""Of a picture that is read; a camera's have fewer. Reading as many takes about a second and 300 MB."""

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
        return _read(lambda: fit_picture(image, size), "is damaged")


def _read(reader: Callable[[], T], problem: str) -> T:
    """What `reader` gives; damaged files make Pillow raise errors of many kinds."""
    try:
        return reader()
    except (*_DAMAGED, struct.error, Image.DecompressionBombError) as error:
        raise ValueError(f"got a picture that {problem}; wanted a whole one; save the picture anew as PNG or JPEG") from error
