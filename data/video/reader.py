"""Video files in.

Time runs from the first frame of a file. At a wanted rate, the frame shown at time t is the last one whose time stamp
is not after t. Files without time stamps (raw streams) run at the rate the stream states, or else at 25 frames/s.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from pathlib import Path
from typing import Self, overload

import numpy as np
import torch
from av import VideoFrame
from torch import Tensor

from ..kinds import as_path, whole
from ..slices import frame_of, part_of
from .bars import NO_BARS, Bars
from .container import Container
from .decoding import Decoder
from .errors import VideoError, check_request, rows_and_columns
from .pictures import PictureMaker, check_fit, shown_size


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself."""

    width: int
    """Columns as shown, after rotation."""
    height: int
    """Rows as shown, after rotation."""
    fps: float
    """Mean frames per second."""
    num_frames: int | None
    """Frames by the header, if it says so; a damaged file may hold fewer."""
    duration: float | None
    """Seconds by the header, if it says so."""


@dataclass(frozen=True, eq=False, repr=False)
class VideoData:
    """Frames read from a file."""

    frames: Tensor
    """uint8 `[T, H, W, 3]`."""
    fps: float
    """Frames per second."""
    damage: str | None = None
    """What could not be decoded, if anything; the frame before it is shown in its place."""

    def __repr__(self) -> str:
        count, height, width = self.frames.shape[:3]
        damage = f", damaged: {self.damage}" if self.damage else ""
        return f"VideoData({count:,} frames of {height}x{width}, {self.fps:g} frames/s{damage})"

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.frames)

    @overload
    def __getitem__(self, which: int) -> Tensor: ...

    @overload
    def __getitem__(self, which: slice) -> Self: ...

    def __getitem__(self, which: int | slice) -> Tensor | Self:
        """A part, such as `video[-17:]`, at the same rate; with a step, at a lower one. A number gives a frame `[H, W, 3]`."""
        if not isinstance(which, slice):
            return frame_of(self.frames, which)
        frames, fps = part_of(self.frames, which, self.fps)
        return replace(self, frames=frames, fps=fps)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.frames)


class VideoReader:
    """Iterates once over the frames of a file, uint8 `[H, W, 3]`, holding one at a time; a context manager.

    Frames are turned and mirrored by the display matrix and scaled to cover `size` (bicubic, antialiased). They are cropped
    about the centre, unless `fit` says otherwise. Interlaced frames are made whole; HLG, PQ and wide gamut become the standard
    picture. Alpha is dropped, pixels count as square. After damage, reading goes on at the next key frame; `damage` then says
    what was lost.

    Args:
        path: Any video file that ffmpeg knows.
        fps: Wanted frames per second; None gives each stored frame once, at the file's mean rate.
        size: Rows and columns, or one number for a square; None keeps the first frame's size.
        start: Seconds after the first frame, >= 0.
        seeks: Whether to begin at a key frame near `start`; False decodes all that lies before it.
        bars: Black bars that are cut off before a frame is scaled, as `find_bars` finds them.
        fit: "crop" covers `size` and cuts off the rest; "pad" shows all, with black at the sides.

    Raises:
        VideoError: If the file holds no readable video.
        ValueError: If an argument is out of range.
    """

    fps: float
    """Frames per second of the frames given out."""
    height: int
    """Rows of each frame."""
    width: int
    """Columns of each frame."""
    place: int
    """Which frame of the file was given last, counted from 0 where the reading began; at the end, the last one of the file."""

    def __init__(
        self,
        path: str | Path,
        *,
        fps: float | None = None,
        size: int | tuple[int, int] | None = None,
        start: float = 0.0,
        seeks: bool = True,
        bars: Bars = NO_BARS,
        fit: str = "crop",
    ):
        check_request(fps, size, start)
        check_fit(fit)
        self.path, self._wanted_fps, self._start, self.place = as_path(path, "a video"), fps, start, 0
        self._decoder = Decoder(self.path, start, seeks)
        try:
            self.fps = fps or self._mean_rate()
        except BaseException:
            self.close()
            raise
        first = self._decoder.first.frame
        self.height, self.width = rows_and_columns(size) if size is not None else shown_size(first)
        self._picture_of = PictureMaker(self.path, self.height, self.width, bars, fit)

    def __iter__(self) -> Iterator[np.ndarray]:
        # Files round time stamps to ticks or milliseconds, so a frame may seem late; up to 1/8 frame that is forgiven.
        container = self._decoder.container
        slack = min(max(container.tick, 0.001), 1 / container.rate / 8) + 1e-6
        frames = self._stored_frames(slack) if self._wanted_fps is None else self._sampled_frames(slack)
        shown, picture = None, np.empty(0)
        for frame in frames:
            if frame is not shown:
                shown, picture = frame, self._picture_of(frame)
            yield picture

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._decoder.close()

    @property
    def damage(self) -> str | None:
        """What could not be decoded, if anything; complete once the iteration is over."""
        return self._decoder.damage

    @property
    def cut(self) -> float:
        """Which share of the first frame is cut off to make it fit, 0 to 1; bars do not count."""
        return self._picture_of.cut(self._decoder.first.frame)

    def info(self) -> VideoInfo:
        """What the header says, with the size of the first frame."""
        height, width = shown_size(self._decoder.first.frame)
        container = self._decoder.container
        return VideoInfo(width, height, self.fps, container.stream.frames or None, container.duration)

    def _mean_rate(self) -> float:
        counted = Container(self.path)
        try:
            return counted.mean_rate()
        finally:
            counted.close()

    def _stored_frames(self, slack: float) -> Iterator[VideoFrame]:
        """Each frame once, from the one shown at the start."""
        _, shown, end = self._decoder.first
        for time, frame, later_end in self._decoder.rest:
            if time > self._start + slack:
                yield shown
            self.place += 1
            shown, end = frame, later_end
        if end > self._start + slack:
            yield shown

    def _sampled_frames(self, slack: float) -> Iterator[VideoFrame]:
        """The frame shown at each moment `start + index / fps`."""
        (_, shown, end), index = self._decoder.first, 0
        for time, frame, later_end in self._decoder.rest:
            while self._start + index / self.fps < time - slack:
                yield shown
                index += 1
            self.place += 1
            shown, end = frame, later_end
        while self._start + index / self.fps < end - slack:
            yield shown
            index += 1


def read_video(
    path: str | Path,
    *,
    fps: float | None = None,
    size: int | tuple[int, int] | None = None,
    start: float = 0.0,
    num_frames: int | None = None,
) -> VideoData:
    """Reads frames of a video file; decoding stops as soon as the wanted frames are there.

    Args:
        path: Any video file that ffmpeg knows.
        fps: Wanted frames per second; None gives each stored frame once, at the file's mean rate.
        size: Rows and columns, or one number for a square; frames are scaled to cover it, then cropped.
        start: Seconds after the first frame, >= 0.
        num_frames: How many frames; None reads to the end, or of a damaged file as far as it can be decoded.

    Raises:
        VideoError: If the file is missing, empty, no video or damaged from its start, or has fewer than `num_frames`.
        ValueError: If an argument is out of range.
    """
    if num_frames is not None:
        num_frames = whole("num_frames", num_frames, 1, inf, "a whole number, at least 1; leave it out to read the whole file")
    with VideoReader(path, fps=fps, size=size, start=start) as reader:
        frames = list(islice(reader, num_frames))
        if not frames or len(frames) < (num_frames or 0):
            wanted = "at least 1" if num_frames is None else str(num_frames)
            cause = f"; it is damaged: {reader.damage}" if reader.damage else ""
            raise VideoError(
                f"{path} has {len(frames)} frames at {reader.fps:g} fps from {start:.2f} s on{cause}; "
                f"wanted {wanted}; ask for fewer frames or start earlier"
            )
        return VideoData(torch.from_numpy(np.stack(frames)), reader.fps, reader.damage)


def probe_video(path: str | Path) -> VideoInfo:
    """Says size, rate and length of a video file from its header and first frame.

    Raises:
        VideoError: If the file holds no readable video.
    """
    with VideoReader(path) as reader:
        return reader.info()
