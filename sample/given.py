"""What a person gives to go on from, whatever it comes as: frames, pictures, files, clips, tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..data import VideoData, read_video
from ..data.fitting import fit_frames, fit_picture, read_picture
from .clip import Clip

Picture = Tensor | np.ndarray | Image.Image | str | Path
"""One frame `[H, W, 3]`, frames `[T, H, W, 3]`, a picture of Pillow, or the path of a file."""
Frames = Picture | VideoData | Clip | Sequence[Picture]
"""Frames as one tensor or array, a picture, a video, a clip, the path of a picture or a video, or a list of single frames."""
Given = Frames | None
"""Frames to go on from, if there are any."""
Tokens = Tensor | np.ndarray | Sequence[Any]
"""Tokens int `[T, H, W]`."""

_RATES_DIFFER = 0.01  # of a rate


def as_frames(given: Frames, size: tuple[int, int] | None = None, fps: float | None = None) -> Tensor:
    """Frames uint8 `[T, H, W, 3]` of what is given; one frame is a video of one.

    Pictures, files, clips and videos are scaled to cover `size` and cropped about the centre. Tensors and arrays stay as they
    are: another size is seldom meant.

    Args:
        given: A tensor or an array of uint8 `[T, H, W, 3]`, a picture of Pillow, a `Clip`, a video of `read_video`, a path of a
            picture or a video, or a list of single frames of any of these kinds.
        size: Rows and columns; `None` keeps what there is.
        fps: Frames per second that a video is read at, or must have; `None` takes any.

    Raises:
        ValueError: The values are not uint8, or the shape, the rate or the kind is another one.
    """
    if isinstance(given, (list, tuple)):
        return _stacked([_one_frame(frame, size) for frame in given])
    if isinstance(given, (VideoData, Clip)):
        return _of_video(given, size, fps)
    if isinstance(given, (str, Path)):
        picture = read_picture(Path(given), size)
        return read_video(given, fps=fps, size=size).frames if picture is None else torch.from_numpy(picture)[None]
    frames = _as_tensor(given, size)
    return _checked(frames if frames.ndim != 3 else frames[None])


def as_tokens(given: Tokens, codebook_size: int, frame_shape: tuple[int, int] | None = None) -> Tensor:
    """Tokens int64 `[T, H, W]` of a tensor, an array or nested lists; T is at least 1.

    Args:
        given: The tokens.
        codebook_size: Tokens lie below.
        frame_shape: Rows and columns that a latent frame must have; `None` takes any.

    Raises:
        ValueError: They are no whole numbers, or shape or range are not as stated.
    """
    rows, columns = frame_shape or ("H", "W")
    wanted = f"wanted [T, {rows}, {columns}], whole numbers such as the `tokens` of a clip or a stream"
    try:
        tokens = given if isinstance(given, Tensor) else torch.from_numpy(np.asarray(given))
    except (TypeError, ValueError) as error:
        raise ValueError(f"got first tokens as {type(given).__name__}; {wanted}") from error
    if tokens.dtype == torch.bool or tokens.is_floating_point() or tokens.is_complex():
        raise ValueError(f"got first tokens of {tokens.dtype}; {wanted}")
    if tokens.ndim != 3 or 0 in tokens.shape or tuple(tokens.shape[1:]) != (frame_shape or tokens.shape[1:]):
        raise ValueError(f"got first tokens of shape {list(tokens.shape)}; {wanted}")
    tokens = tokens.long()
    if tokens.min() < 0 or tokens.max() >= codebook_size:
        raise ValueError(
            f"got first tokens from {int(tokens.min())} to {int(tokens.max())}; wanted 0 to {codebook_size - 1}, the codes of "
            "this model's tokenizer; another one may have made them"
        )
    return tokens


def _of_video(video: VideoData | Clip, size: tuple[int, int] | None, fps: float | None) -> Tensor:
    if fps is not None and abs(video.fps / fps - 1) > _RATES_DIFFER:
        raise ValueError(
            f"got first frames at {video.fps:g} frames/s; wanted {fps:g}, the rate of this model; read them with "
            f"`read_video(path, fps={fps:g})`, or give their `frames` alone to take them as they are"
        )
    frames = _checked(video.frames)
    return frames if size is None or tuple(frames.shape[1:3]) == size else fit_frames(frames, size)


def _one_frame(given: object, size: tuple[int, int] | None) -> Tensor:
    """A frame of a list, uint8 `[H, W, 3]`."""
    if not isinstance(given, (str, Path)):
        return _as_tensor(given, size)
    picture = read_picture(Path(given), size)
    if picture is None:
        missing = "does not exist" if not Path(given).exists() else "is no still picture"
        raise ValueError(f"got {given} in a list of frames, which {missing}; wanted pictures; a video is given alone")
    return torch.from_numpy(picture)


def _stacked(frames: list[Tensor]) -> Tensor:
    shapes = {tuple(frame.shape) for frame in frames}
    if len(shapes) != 1:
        shown = " and ".join(map(str, sorted(shapes))) or "none"
        raise ValueError(f"got first frames of the shapes {shown}; wanted at least one, and all of one size; resize them to one")
    return _checked(torch.stack(frames))


def _as_tensor(given: object, size: tuple[int, int] | None) -> Tensor:
    if isinstance(given, Image.Image):
        return torch.from_numpy(fit_picture(given, size))
    if isinstance(given, np.ndarray):
        _check_kind(given.dtype == np.uint8, f"numpy.{given.dtype}")
        return torch.from_numpy(np.ascontiguousarray(given))
    if isinstance(given, Tensor):
        _check_kind(given.dtype == torch.uint8, str(given.dtype))
        return given
    raise ValueError(
        f"got first frames as {type(given).__name__}; wanted a tensor or an array of uint8 [T, H, W, 3], a picture of Pillow, a "
        "clip, a video of `read_video`, the path of a picture or a video, or a list of single frames"
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
