"""Frames that a person gives to go on from, whatever they come as."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Picture = Tensor | np.ndarray | Image.Image
"""One frame `[H, W, 3]`, or frames `[T, H, W, 3]`."""
Frames = Picture | Sequence[Picture]
"""Frames as one tensor or array, a picture of Pillow, or a list of single frames."""
Given = Frames | None
"""Frames to go on from, if there are any."""


def as_frames(given: Frames) -> Tensor:
    """Frames uint8 `[T, H, W, 3]` of a tensor, an array, a picture of Pillow, or a list of frames; one frame is a video of one.

    Raises:
        ValueError: The values are not uint8, or the shape is another one.
    """
    if isinstance(given, (list, tuple)):
        return _stacked([_as_tensor(frame) for frame in given])
    frames = _as_tensor(given)
    return _checked(frames if frames.ndim != 3 else frames[None])


def _stacked(frames: list[Tensor]) -> Tensor:
    shapes = {tuple(frame.shape) for frame in frames}
    if len(shapes) != 1:
        shown = " and ".join(map(str, sorted(shapes))) or "none"
        raise ValueError(f"got first frames of the shapes {shown}; wanted at least one, and all of one size; resize them to one")
    return _checked(torch.stack(frames))


def _as_tensor(given: object) -> Tensor:
    if isinstance(given, Image.Image):
        return torch.from_numpy(np.array(given.convert("RGB")))
    if isinstance(given, np.ndarray):
        _check_kind(given.dtype == np.uint8, f"numpy.{given.dtype}")
        return torch.from_numpy(np.ascontiguousarray(given))
    if isinstance(given, Tensor):
        _check_kind(given.dtype == torch.uint8, str(given.dtype))
        return given
    raise ValueError(
        f"got first frames as {type(given).__name__}; wanted a tensor or an array of uint8 [T, H, W, 3], a picture of Pillow, or "
        "a list of those; read a file with `read_video`"
    )


def _check_kind(is_uint8: bool, kind: str) -> None:
    if not is_uint8:
        raise ValueError(
            f"first frames are {kind} numbers; wanted uint8 from 0 to 255; `framecast.data.to_frames` makes them of a video in "
            "[-1, 1], and (255 * x).round() in uint8 of one in [0, 1]"
        )


def _checked(frames: Tensor) -> Tensor:
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            f"got first frames of shape {list(frames.shape)}; wanted [T, H, W, 3] or one picture [H, W, 3]; move or drop the "
            "dimensions that are others"
        )
    return frames
