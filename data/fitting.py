"""Pictures of any size to the size that a model takes: scaled to cover it, then cropped about the centre."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .images import check_frames
from .kinds import sides

_KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")  # others run programs, or are no pictures of pixels
_STILL = ("JPEG", "MPO", "TIFF")  # further pictures in such a file are previews and pages

_DAMAGED = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, struct.error, Image.DecompressionBombError)
_TURNED = (5, 6, 7, 8)  # orientations of EXIF in which rows are columns


def fit_picture(picture: Image.Image, size: tuple[int, int] | None = None) -> np.ndarray:
    """The pixels uint8 `[H, W, 3]` of a picture of Pillow: upright, scaled to cover `size`, cropped about the centre.

    Args:
        picture: Of any mode and size. What is transparent becomes white.
        size: Rows and columns; `None` keeps those of the picture. A picture of this size keeps its pixels.

    Raises:
        ValueError: The picture cannot be decoded.
    """
    try:
        upright = _in_colour(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"got a picture that cannot be decoded ({error}); save it anew") from error
    if size is not None and upright.size != (size[1], size[0]):
        upright = ImageOps.fit(upright, (size[1], size[0]), Image.Resampling.BICUBIC)
    if upright.mode == "RGBA":
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    return np.array(upright)


def fit_frames(frames: Tensor | np.ndarray, size: tuple[int, int] | int) -> Tensor:
    """Frames of another size: each scaled to cover `size` and cropped about the centre, as `VideoFolder` does.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        size: Rows and columns, or one number for a square.

    Returns:
        uint8 `[T, *size, 3]`.

    Raises:
        ValueError: `frames` or `size` are not as stated.
    """
    array, size = check_frames(frames, fps=1), sides("size", size)
    return torch.from_numpy(np.stack([fit_picture(Image.fromarray(frame), size) for frame in array]))


def read_picture(path: Path, size: tuple[int, int] | None = None) -> np.ndarray | None:
    """The pixels of a file that is a still picture, as `fit_picture` gives them; `None` if it is something else.

    Raises:
        ValueError: It is a picture, and too large or damaged.
    """
    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=_KINDS) as picture:
            if getattr(picture, "is_animated", False) and picture.format not in _STILL:
                return None
            return fit_picture(picture, size)
    except UnidentifiedImageError:
        return None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"got {path}, a picture that cannot be used: {error}") from error


@dataclass(frozen=True)
class PictureInfo:
    """What a file of pictures says of itself."""

    kind: str
    """Its format, such as "PNG"."""
    height: int
    """Rows of the upright picture."""
    width: int
    """Columns of it."""
    num_frames: int
    """1 if it stands still."""


def probe_picture(path: Path) -> PictureInfo | None:
    """Says kind and size of a file of pictures from its headers; `None` if it is something else.

    Raises:
        ValueError: It is a picture, and too large or damaged.
    """
    try:
        with Image.open(path, formats=_KINDS) as picture:
            kind = picture.format or ""
            count = 1 if kind in _STILL else getattr(picture, "n_frames", 1)
            is_turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
            width, height = picture.size[::-1] if is_turned else picture.size
            return PictureInfo(kind, height, width, count)
    except UnidentifiedImageError:
        return None
    except _DAMAGED as error:
        raise ValueError(f"got {path}, a picture that cannot be used: {error}; save it anew") from error


def _in_colour(picture: Image.Image) -> Image.Image:
    """The same as RGB, or as RGBA if anything may be seen through it."""
    if picture.mode.startswith("I"):  # 16 bits of grey, of which Pillow would cut off all above 255
        return Image.fromarray((np.asarray(picture).astype(np.int64) // 256).clip(0, 255).astype(np.uint8)).convert("RGB")
    is_seen_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    return picture.convert("RGBA" if is_seen_through else "RGB")
