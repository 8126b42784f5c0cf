"""Captioned clips, the interface of every clip source, and the two ways between frames and video."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.utils.data import Dataset

from .actions import ActionSpace


@dataclass(frozen=True)
class Caption:
    """A prompt and the frame from which it holds.

    Raises:
        ValueError: If `start` is negative.
    """

    start: int
    """Frame index, >= 0; the first caption of a clip starts at 0."""
    text: str
    """What the clip shows from `start` on; "" if nothing is known."""

    def __post_init__(self):
        if self.start < 0:
            raise ValueError(f"caption starts at frame {self.start}; frames count from 0; pass start >= 0")


@dataclass(frozen=True, eq=False)
class CaptionedClip:
    """A few frames with the captions that hold during them.

    Raises:
        ValueError: If `frames` is not uint8 `[T, H, W, 3]`; actions, rewards or ends are not a row for each frame; or the
            captions do not start at frame 0 and one after the other.
    """

    frames: Tensor
    """uint8 `[T, H, W, 3]`."""
    captions: tuple[Caption, ...]
    """In order of their start; the first starts at frame 0."""
    fps: float
    """Frames per second."""
    name: str
    """Unique within a source, such as "file.mp4@1.50s" or "sprites/0/17"."""
    scene: object | None = None
    """What is truly in the picture, if the source knows it."""
    actions: Tensor | None = None
    """float32 `[T, A]`: row t is what was done between frame t - 1 and frame t, so row 0 says nothing. NaN is unknown; None if
    no action is known."""
    rewards: Tensor | None = None
    """float32 `[T]`: row t is the reward of the step that made frame t. NaN is unknown; None if no reward is known."""
    ends: Tensor | None = None
    """bool `[T]`: whether the episode was over with frame t; None if that is not known."""

    def __post_init__(self):
        _check_frames(self.frames)
        _check_actions(self.actions, len(self.frames), self.name)
        _check_column("rewards", self.rewards, torch.float32, self)
        _check_column("ends", self.ends, torch.bool, self)
        starts = [caption.start for caption in self.captions]
        if not starts or starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
            raise ValueError(
                f"captions of {self.name!r} start at frames {starts}; they must begin at 0 and increase; "
                'give a first caption at 0 (its text may be "") and sort the others'
            )


class ClipSource(Dataset, ABC):
    """A finite, indexable collection of captioned clips which all have the same shape and rate."""

    num_frames: int
    """Frames in each clip."""
    height: int
    """Rows of each frame."""
    width: int
    """Columns of each frame."""
    fps: float
    """Frames per second."""
    action_space: ActionSpace | None = None
    """What the actions of the clips are; None if they have none."""

    @abstractmethod
    def __len__(self) -> int:
        """How many clips there are."""

    @abstractmethod
    def __getitem__(self, index: int) -> CaptionedClip:
        """Clip `index`; raises IndexError outside of `[0, len)`."""

    @property
    def seconds_of_video(self) -> float:
        """Seconds of different video in all clips; what several clips show counts once, if the source knows."""
        return len(self) * self.num_frames / self.fps

    def summary(self) -> str:
        """One line: how many clips there are, and of what."""
        size = f"{self.height}x{self.width}"
        return f"{len(self):,} clips of {self.num_frames} frames at {self.fps:g} fps, {size} ({type(self).__name__})"

    def fingerprint(self) -> dict[str, Any]:
        """What the clips depend on, as plain JSON values: two sources that say the same give the same clips.

        Here: the class, the length, and all public settings, with the fingerprints of the sources within. A source whose clips
        come from files says what is in the files instead.

        Raises:
            ValueError: A setting has no plain value; such a source needs a `fingerprint` of its own.
        """
        public = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        settings = {name: _plain(name, value) for name, value in public.items()}
        return {"class": type(self).__name__, "num_clips": len(self), **settings}


def to_video(frames: Tensor) -> Tensor:
    """Turns frames into video.

    Args:
        frames: uint8 `[..., T, H, W, C]`.

    Returns:
        float32 `[..., C, T, H, W]` in [-1, 1]; in memory channels come last, as in `frames`.

    Raises:
        ValueError: If `frames` is not uint8 or has fewer than four dimensions.
    """
    if frames.dtype != torch.uint8 or frames.ndim < 4:
        raise ValueError(
            f"frames are {frames.dtype} {list(frames.shape)}; wanted uint8 [..., T, H, W, C]; "
            "a video in [-1, 1] becomes frames with `to_frames`"
        )
    return rearrange(frames.to(torch.float32).div_(127.5).sub_(1), "... t h w c -> ... c t h w")


def to_frames(video: Tensor) -> Tensor:
    """Turns video into frames, the inverse of `to_video`; values beyond [-1, 1] are clamped.

    Args:
        video: float `[..., C, T, H, W]`.

    Returns:
        uint8 `[..., T, H, W, C]`, contiguous.

    Raises:
        ValueError: If `video` is not floating point or has fewer than four dimensions.
    """
    if not video.is_floating_point() or video.ndim < 4:
        raise ValueError(
            f"video is {video.dtype} {list(video.shape)}; wanted float [..., C, T, H, W] in [-1, 1]; "
            "uint8 frames become video with `to_video`"
        )
    levels = video.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return rearrange(levels, "... c t h w -> ... t h w c").contiguous()


def _plain(name: str, value: object) -> Any:
    """A setting as JSON gives it back."""
    if isinstance(value, ClipSource):
        return value.fingerprint()
    if isinstance(value, ActionSpace):
        return value.to_json()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(name, each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(name, each) for each in value]
    if isinstance(value, PurePath | Enum):
        return str(value)
    raise ValueError(f"got a setting `{name}` of type {type(value).__name__}; wanted plain values, or a `fingerprint` of its own")


def _check_actions(actions: Tensor | None, num_frames: int, name: str) -> None:
    if actions is not None and (actions.dtype != torch.float32 or actions.ndim != 2 or len(actions) != num_frames):
        raise ValueError(
            f"actions of {name!r} are {actions.dtype} {list(actions.shape)}; wanted float32 [{num_frames}, A], a row a frame"
        )


def _check_column(what: str, values: Tensor | None, dtype: torch.dtype, clip: CaptionedClip) -> None:
    if values is not None and (values.dtype != dtype or values.shape != clip.frames.shape[:1]):
        raise ValueError(
            f"{what} of {clip.name!r} are {values.dtype} {list(values.shape)}; wanted {dtype} [{len(clip.frames)}], one a frame"
        )


def _check_frames(frames: Tensor) -> None:
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            f"clip frames are {frames.dtype} {list(frames.shape)}; wanted uint8 [T, H, W, 3]; convert a video with `to_frames`"
        )
