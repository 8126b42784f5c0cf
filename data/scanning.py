"""Reading a file through, once: which clips it gives, and what is odd about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import islice
from math import inf, nextafter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..progress import Task
from .counted import counted
from .images import MAX_FPS
from .kinds import real, truth, whole
from .scans import Scan
from .shots import Shots
from .stillness import Stillness
from .video import NO_BARS, Bars, VideoError, VideoReader, check_fit, find_bars

LEAST_RATE = 5.0
"""Frames per second below which cuts are not looked for: too much is new in every frame."""
STRETCH = 60.0
"""Seconds of each of the stretches that are read of a long file."""
_LEAST_STILL, _REFINED = 5.0, 1
"""Seconds that a file must last to count as a still picture, and how many frames may be coded so much better than before that
something seems to move."""
_MUCH_LONGER = 1.25
"""A file that is longer by less is read whole."""


@dataclass(frozen=True)
class Cutting:
    """How files are cut into clips; see `VideoFolder` for each.

    Raises:
        ValueError: A setting is out of range.
    """

    num_frames: int
    height: int
    width: int
    fps: float
    step: int
    split_shots: bool = True
    crop_bars: bool = True
    fit: str = "crop"
    skip_stills: bool = True
    seconds_per_file: float | None = None
    counted: bool = False
    """Whether stored frames are counted, since each has its action."""

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)  # plain numbers, whatever they came as
        keep("num_frames", whole("num_frames", self.num_frames, 1, inf, "a whole number of frames in a clip, at least 1"))
        keep("fps", real("fps", self.fps, nextafter(0, 1), MAX_FPS, f"frames per second above 0 and up to {MAX_FPS:g}"))
        keep("step", whole("step", self.step, -inf, inf, f"a whole number of frames, 1 to {self.num_frames}"))
        if not 1 <= self.step <= self.num_frames:
            raise ValueError(f"got a step of {self.step} frames; wanted 1 to {self.num_frames}, the length of a clip")
        for name in ("split_shots", "crop_bars", "skip_stills"):
            keep(name, truth(name, getattr(self, name)))
        keep("fit", check_fit(self.fit))
        if self.seconds_per_file is not None:
            wanted = "seconds of video to read of each file, at least 1, or None for all"
            keep("seconds_per_file", real("seconds_per_file", self.seconds_per_file, 1, inf, wanted))

    @property
    def as_recorded(self) -> "Cutting":
        """For files with actions: these are recordings, in which every frame follows from the one before and counts."""
        plain = replace(self, split_shots=False, crop_bars=False, skip_stills=False, seconds_per_file=None)
        return replace(plain, counted=True)

    def __str__(self) -> str:
        """What a scan depends on."""
        said = {
            "frames counted": self.counted,
            "shots split": self.finds_shots,
            "bars cropped": self.crop_bars,
            f"fit {self.fit}": self.fit != "crop",
            "stills skipped": self.skip_stills,
            f"{self.seconds_per_file} s a file": self.seconds_per_file is not None,
        }
        plain = f"{self.num_frames}x{self.height}x{self.width} at {self.fps} by {self.step}"
        return ", ".join([plain, *(what for what, holds in said.items() if holds)])

    @property
    def finds_shots(self) -> bool:
        """Whether cuts are looked for."""
        return self.split_shots and self.fps >= LEAST_RATE

    def reader(self, path: Path, start: float = 0.0, seeks: bool = True, bars: Bars = NO_BARS) -> VideoReader:
        """Reads frames as they are in clips."""
        size = (self.height, self.width)
        return VideoReader(path, fps=self.fps, size=size, start=start, seeks=seeks, bars=bars, fit=self.fit)


def read_through(path: Path, file: str, cutting: Cutting, keep: Callable[[int, Tensor], None]) -> Scan:
    """Reads a file to its end, or the stretches of it that are wanted.

    Args:
        path: The file.
        file: What it is called in messages.
        cutting: How it is cut.
        keep: Is given the number of each clip in the file, and its frames.
    """
    try:
        reading = _Reading(path, cutting, find_bars(path) if cutting.crop_bars else NO_BARS, keep)
        length = _length(path, cutting)
        stretches = _stretches(length, cutting)
        with Task(f"reading {file}", total=sum(stretch.seconds for stretch in stretches) or None) as task:
            for stretch in stretches:
                reading.read(stretch, task)
        return replace(reading.scan(), length=round(length, 3), in_part=stretches[0].num_frames is not None)
    except VideoError as error:
        return Scan(skipped=str(error).replace(str(path), file))


def checked_part(part: tuple[float, float]) -> tuple[float, float]:
    """Where the wanted part of a file begins and ends, as shares of it; raises ValueError if it is none."""
    wanted = "two shares of a file, the first one smaller, such as (0.0, 0.9)"
    try:
        first, end = part
    except (TypeError, ValueError) as error:
        raise ValueError(f"got a part {part!r}; wanted {wanted}") from error
    first, end = (real("a share in part", share, 0, 1, "a share of a file, 0 to 1") for share in (first, end))
    if not first < end:
        raise ValueError(f"got a part {part!r}; wanted {wanted}")
    return float(first), float(end)


def hash_frames(frames: Tensor) -> str:
    """A short hash of the frames of a clip."""
    return blake2b(frames.numpy().data, digest_size=8).hexdigest()


@dataclass(frozen=True)
class _Stretch:
    """A part of a file, in frames at the rate of the clips."""

    first: int
    num_frames: int | None
    """None reads to the end of the file."""
    seconds: float
    """About how long it is; 0 if nobody knows."""


def _length(path: Path, cutting: Cutting) -> float:
    """Seconds by the header; 0 if it does not say."""
    with cutting.reader(path) as reader:
        return reader.info().duration or 0.0


def _stretches(whole: float, cutting: Cutting) -> list[_Stretch]:
    """The parts of a file that are read: all of it, or parts spread evenly over it."""
    limit = cutting.seconds_per_file
    if limit is None or 0 < whole <= _MUCH_LONGER * limit:
        return [_Stretch(0, None, whole)]
    number = max(1, round(limit / STRETCH)) if whole else 1  # without a length, the beginning is all that can be found
    seconds = limit / number
    firsts = np.linspace(0, max(0.0, whole - seconds), number) if number > 1 else [max(0.0, whole - seconds) / 2]
    return [_Stretch(round(first * cutting.fps), round(seconds * cutting.fps), seconds) for first in firsts]


class _Reading:
    """Reads stretches of a file, one after the other."""

    def __init__(self, path: Path, cutting: Cutting, bars: Bars, keep: Callable[[int, Tensor], None]):
        self._path, self._cutting, self._bars, self._keep = path, cutting, bars, keep
        self._clips: list[str] = []
        self._starts: list[int] = []
        self._shown: list[int] = []
        self._stillness = Stillness()
        self._damage: str | None = None
        self._still_clips = self._cuts = self._longest = self._place = 0
        self._cut = 0.0

    def read(self, stretch: _Stretch, task: Task) -> None:
        """Reads a stretch, and adds its clips."""
        cutting, shots = self._cutting, Shots()
        pictures: list[np.ndarray] = []
        moving: list[bool] = []
        with cutting.reader(self._path, stretch.first / cutting.fps, bars=self._bars) as reader:
            self._cut = reader.cut
            for index, picture in enumerate(islice(reader, stretch.num_frames)):
                begins = cutting.finds_shots and shots.begins(picture)
                if begins or not index:
                    pictures, moving = [], []
                self._cuts += begins and index > 0
                pictures.append(picture)
                moving.append(self._stillness.moves(picture, begins or not index))
                self._longest = max(self._longest, len(pictures))
                if cutting.counted:
                    self._shown.append(reader.place)
                if len(pictures) == cutting.num_frames:
                    self._add(stretch.first + index + 1 - cutting.num_frames, pictures, moving)
                    pictures, moving = pictures[cutting.step :], moving[cutting.step :]
                task.reach(self._stillness.num_frames / cutting.fps)
            self._place, self._damage = reader.place, self._damage or reader.damage

    def _add(self, start: int, pictures: list[np.ndarray], moving: list[bool]) -> None:
        frames = torch.from_numpy(np.stack(pictures))
        self._keep(len(self._clips), frames)
        self._clips.append(hash_frames(frames))
        self._starts.append(start)
        self._still_clips += len(pictures) > 1 and not any(moving[1:])

    def scan(self) -> Scan:
        """What was found."""
        if not self._clips:
            return Scan(skipped=self._too_short())
        if self._cutting.skip_stills and self._is_still:
            return Scan(skipped=_STILL)
        return Scan(
            tuple(self._clips),
            self._damage,
            shown=tuple(self._shown),
            num_frames=self._place + 1 if self._cutting.counted else 0,
            starts=() if self._is_regular else tuple(self._starts),
            bars=(self._bars.top, self._bars.bottom, self._bars.left, self._bars.right) if self._bars else (),
            cuts=self._cuts,
            cut=round(self._cut, 4),
            still_clips=self._still_clips,
            seconds=round(self._stillness.num_frames / self._cutting.fps, 3),
        )

    @property
    def _is_regular(self) -> bool:
        """Whether the clips follow one another at the step, from the first frame on."""
        return self._starts == [index * self._cutting.step for index in range(len(self._starts))]

    @property
    def _is_still(self) -> bool:
        """Whether nothing at all moves, in a file that is long enough to say so."""
        return self._stillness.num_moving <= _REFINED and self._stillness.num_frames > _LEAST_STILL * self._cutting.fps

    def _too_short(self) -> str:
        cutting, frames = self._cutting, self._longest
        cause = f" before the damage ({self._damage})" if self._damage else ""
        where = f" between its {counted(self._cuts, 'cut')}" if self._cuts else ""
        return (
            f"has {frames} frames at {cutting.fps:g} fps{where}{cause}; wanted {cutting.num_frames}; "
            f"lower the `num_frames` of the VideoFolder to {frames}, or raise its `fps`"
        )


_STILL = "nothing moves in it, as in a photo or slides with sound; `skip_stills=False` of the VideoFolder takes it all the same"
