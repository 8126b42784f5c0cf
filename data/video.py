"""Video files in and out; the only file that knows PyAV.

Time runs from the first frame of a file. At a wanted rate, the frame shown at time t is the last one whose time stamp
is not after t. Files without time stamps (raw streams) run at the rate the stream states, or else at 25 frames/s.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple, Self

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from torch import Tensor

from .files import replacing
from .images import MAX_FPS, check_frames, encode_apng, encode_gif, encode_webp

VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3gp .apng .asf .avi .flv .gif .h264 .h265 .hevc .ivf .m2ts .m4v .mjpeg .mkv .mov .mp4 .mpeg .mpg .mts "
    ".ogv .ts .vob .webm .wmv .y4m".split()
)
DEFAULT_RATE = 25
MAX_GAP = 600.0  # seconds one frame may stand; a longer jump of the time stamps is damage
SEEK_MARGIN = 0.5  # seconds; containers seek by decoding time, which runs ahead of showing time
DECODE_ERRORS = (av.FFmpegError, IndexError, UnicodeDecodeError)  # what PyAV raises on damaged files
X264_REPEATABLE = {"x264-params": "mbtree=0"}  # with it, the same frames gave other files from one call to the next
SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class VideoError(ValueError):
    """A video file that cannot be read as asked; the message names the file, what is wrong and what to do."""


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
    """Frames by the header, where it says so; a damaged file may hold fewer."""
    duration: float | None
    """Seconds by the header, where it says so."""


@dataclass(frozen=True, eq=False)
class VideoData:
    """Frames read from a file."""

    frames: Tensor
    """uint8 `[T, H, W, 3]`."""
    fps: float
    """Frames per second."""
    damage: str | None = None
    """Why the file could not be read to its end, if reading met damage."""


class Timed(NamedTuple):
    """A decoded frame and when it is shown, in seconds after the first frame."""

    time: float
    frame: av.VideoFrame
    end: float


class VideoReader:
    """Iterates once over the frames of a file, uint8 `[H, W, 3]`, holding one at a time; a context manager.

    Frames are turned upright by the display matrix, scaled to cover `size` (bicubic, antialiased) and cropped about the
    centre. Alpha is dropped, pixels count as square. Reading ends at the first damaged frame; `damage` then says why.

    Args:
        path: Any video file that ffmpeg knows.
        fps: Wanted frames per second; None gives each stored frame once, at the file's mean rate.
        size: Rows and columns, or one number for a square; None keeps the first frame's size.
        start: Seconds after the first frame, >= 0.

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
    damage: str | None = None
    """Why reading ended before the end of the file, if it did; complete once the iteration is over."""

    def __init__(
        self,
        path: str | Path,
        *,
        fps: float | None = None,
        size: int | tuple[int, int] | None = None,
        start: float = 0.0,
    ):
        _check_request(fps, size, start)
        self.path, self._wanted_fps, self._start = Path(path), fps, start
        self._reformatter = VideoReformatter()
        self._open()
        try:
            self._decoded = self._decode_from(start)
            self._first = self._first_frame()
        except BaseException:
            self.close()
            raise
        self.fps = fps or self._rate
        self.height, self.width = _pair(size) if size is not None else _shown_size(self._first.frame)

    def __iter__(self) -> Iterator[np.ndarray]:
        # Files round time stamps to ticks or milliseconds, so a frame may seem late; up to 1/8 frame that is forgiven.
        slack = min(max(self._tick, 0.001), 1 / self._rate / 8) + 1e-6
        frames = self._stored_frames(slack) if self._wanted_fps is None else self._sampled_frames(slack)
        shown, picture = None, np.empty(0)
        for frame in frames:
            if frame is not shown:
                shown, picture = frame, self._convert(frame)
            yield picture

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def info(self) -> VideoInfo:
        """What the header says, with the size of the first frame."""
        height, width = _shown_size(self._first.frame)
        duration = None
        if self._stream.duration:
            duration = self._stream.duration * self._tick
        elif self._container.duration:
            duration = self._container.duration / av.time_base
        return VideoInfo(width, height, self._rate, self._stream.frames or None, duration)

    def _open(self) -> None:
        _check_file(self.path)
        options = {"protocol_whitelist": "file"}  # a playlist must not reach into the network
        try:
            self._container = av.open(f"file:{self.path}", metadata_errors="replace", options=options)
        except DECODE_ERRORS as error:
            raise VideoError(f"{self.path} cannot be opened as a video ({_reason(error)}); {_advice(self.path)}") from error
        if not self._container.streams.video:
            kinds = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"
            self._container.close()
            raise VideoError(f"{self.path} has no video stream, only {kinds}; give a file with pictures")
        self._stream = self._container.streams.video[0]
        self._rate = _mean_rate(self._stream)
        self._tick = float(self._stream.time_base or 1 / self._rate)  # seconds

    def _first_frame(self) -> Timed:
        first = next(self._decoded, None)
        if first is None:
            raise VideoError(
                f"no frame of {self.path} can be decoded ({self.damage or 'the video stream is empty'}); {_advice(self.path)}"
            )
        return first

    def _decode_from(self, start: float) -> Iterator[Timed]:
        """Decodes from the last key frame before `start` where seeking works, and from the first frame where not."""
        if start > 2 * SEEK_MARGIN and self._stream.start_time is not None and self._seek(start - SEEK_MARGIN):
            decoded = self._decode()
            first = next(decoded, None)
            if first is not None and first.time <= start and first.frame.pts is not None and not self.damage:
                return chain([first], decoded)
            self._container.close()
            self.damage = None
            self._open()
        return self._decode()

    def _seek(self, seconds: float) -> bool:
        try:
            self._container.seek((self._stream.start_time or 0) + int(seconds / self._tick), stream=self._stream)
        except DECODE_ERRORS:
            return False
        return True

    def _decode(self) -> Iterator[Timed]:
        """Yields the frames in order of time, up to the first damage."""
        origin, last = self._stream.start_time, None
        for frame in self._undamaged():
            if origin is None:
                origin = frame.pts
            if frame.pts is None or origin is None:
                time = 0.0 if last is None else last + 1 / self._rate
            else:
                time = (frame.pts - origin) * self._tick
            if last is not None and time - last > MAX_GAP:
                self.damage = f"the time stamps jump by {time - last:.0f} s after {last:.2f} s"
                return
            last = time if last is None else max(time, last)
            yield Timed(last, frame, self._end(last, frame))

    def _end(self, time: float, frame: av.VideoFrame) -> float:
        """Until when a frame from `time` on is shown if none follows."""
        end = time + min(frame.duration * self._tick or 1 / self._rate, MAX_GAP)
        length = (self._stream.duration or 0) * self._tick  # where frames are reordered, their durations may be mixed up
        return min(end, length) if length > time else end

    def _undamaged(self) -> Iterator[av.VideoFrame]:
        decoded, count = self._container.decode(self._stream), 0
        while True:
            try:
                frame = next(decoded, None)
            except DECODE_ERRORS as error:
                self.damage = f"frame {count} cannot be decoded: {_reason(error)}"
                return
            if frame is None:
                return
            if frame.is_corrupt:
                self.damage = f"frame {count} is damaged"
                return
            yield frame
            count += 1

    def _stored_frames(self, slack: float) -> Iterator[av.VideoFrame]:
        """Each frame once, from the one shown at the start."""
        shown, end = self._first.frame, self._first.end
        for time, frame, later_end in self._decoded:
            if time > self._start + slack:
                yield shown
            shown, end = frame, later_end
        if end > self._start + slack:
            yield shown

    def _sampled_frames(self, slack: float) -> Iterator[av.VideoFrame]:
        """The frame shown at each moment `start + index / fps`."""
        shown, end, index = self._first.frame, self._first.end, 0
        for time, frame, later_end in self._decoded:
            while self._start + index / self.fps < time - slack:
                yield shown
                index += 1
            shown, end = frame, later_end
        while self._start + index / self.fps < end - slack:
            yield shown
            index += 1

    def _convert(self, frame: av.VideoFrame) -> np.ndarray:
        turns = round(frame.rotation / 90) % 4
        height, width = (self.height, self.width) if turns % 2 == 0 else (self.width, self.height)
        scale = max(height / frame.height, width / frame.width)
        scaled_height, scaled_width = max(height, round(frame.height * scale)), max(width, round(frame.width * scale))
        scaled = self._scale(frame, scaled_height, scaled_width)
        top, left = (scaled_height - height) // 2, (scaled_width - width) // 2
        return np.ascontiguousarray(np.rot90(scaled[top : top + height, left : left + width], turns))

    def _scale(self, frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
        try:
            scaled = self._reformatter.reformat(
                frame,
                width=width,
                height=height,
                format="rgb24",
                interpolation=SCALING,
                dst_color_range=ColorRange.JPEG,
                threads=1,  # worker processes fork, and a pool of scaling threads would not survive that
            )
        except DECODE_ERRORS as error:
            raise VideoError(
                f"a {frame.format.name} frame of {self.path} cannot be turned into {height} x {width} RGB "
                f"({_reason(error)}); convert the file with ffmpeg, or ask for another size"
            ) from error
        return scaled.to_ndarray()


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
    if num_frames is not None and num_frames < 1:
        raise ValueError(f"num_frames is {num_frames}; wanted at least 1; leave it out to read the whole file")
    with VideoReader(path, fps=fps, size=size, start=start) as reader:
        frames = list(islice(reader, num_frames))
        if not frames or len(frames) < (num_frames or 0):
            wanted = "at least 1" if num_frames is None else str(num_frames)
            cause = f"; reading ended early: {reader.damage}" if reader.damage else ""
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


def write_video(path: str | Path, frames: Tensor | np.ndarray, fps: float) -> None:
    """Writes frames to a file whose kind follows from the suffix; the file appears whole or not at all.

    `.mp4` is H.264 with loss (colour at half size); odd sizes get one more row or column, a copy of the last.
    `.mkv` is lossless (FFV1 in RGB), as are `.png`, `.apng` and `.webp` (animated); `.gif` has 256 colours.

    Args:
        path: The file to write; its folder must exist.
        frames: uint8 `[T, H, W, 3]`.
        fps: Frames per second, in (0, 1000].

    Raises:
        ValueError: If the suffix is unknown, the folder is missing, or `frames` or `fps` are not as stated.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"cannot write {path}: the suffix {path.suffix!r} is unknown; use one of {', '.join(WRITERS)}")
    array = check_frames(frames, fps)
    with replacing(path) as temporary:
        writer(temporary, array, fps)


class Mp4Stream:
    """Writes fragmented mp4 (H.264) frame by frame: what is written can be played while more is to come.

    Args:
        file: A path, or anything open for writing bytes, such as a pipe.
        height: Rows of the frames, even.
        width: Columns of the frames, even.
        fps: Frames per second.
    """

    def __init__(self, file: str | Path | IO[bytes], height: int, width: int, fps: float):
        options = {"movflags": "+empty_moov+default_base_moof+frag_every_frame", "flush_packets": "1"}
        target = str(file) if isinstance(file, (str, Path)) else file
        self._container = av.open(target, "w", format="mp4", options=options)
        self._stream = _add_stream(
            self._container, (height, width), fps, "libx264", "yuv420p", {"crf": "12", "tune": "zerolatency", **X264_REPEATABLE}
        )
        self._encoder, self._count = _FrameEncoder("yuv420p"), 0

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, uint8 `[H, W, 3]`."""
        self._container.mux(self._stream.encode(self._encoder(image, self._count)))
        self._count += 1

    def close(self) -> None:
        """Ends the file; the file object that was given stays open."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


class Mp4Writer:
    """Writes an mp4 (H.264) by and by, in constant memory; it is whole when closed.

    Odd sizes get one more row or column, a copy of the last.

    Args:
        path: The file.
        height: Rows of the frames.
        width: Columns of the frames.
        fps: Frames per second.
    """

    def __init__(self, path: Path, height: int, width: int, fps: float):
        self._padding = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        size = (height + height % 2, width + width % 2)
        self._stream = _add_stream(self._container, size, fps, "libx264", "yuv420p", {"crf": "12", **X264_REPEATABLE})
        self._encoder, self._count = _FrameEncoder("yuv420p"), 0

    def write(self, frames: np.ndarray) -> None:
        """Adds frames, uint8 `[T, H, W, 3]`."""
        for picture in np.pad(frames, self._padding, mode="edge"):
            self._container.mux(self._stream.encode(self._encoder(picture, self._count)))
            self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._container:
            if kind is None:
                self._container.mux(self._stream.encode(None))


def _write_mp4(path: Path, frames: np.ndarray, fps: float) -> None:
    with Mp4Writer(path, frames.shape[1], frames.shape[2], fps) as writer:
        writer.write(frames)


def _write_mkv(path: Path, frames: np.ndarray, fps: float) -> None:
    no_random_name = {"fflags": "+bitexact"}
    with av.open(str(path), "w", format="matroska", options=no_random_name) as container:
        _encode(container, frames, fps, "ffv1", "bgr0", {})


def _encode(container, frames: np.ndarray, fps: float, codec: str, pixels: str, options: dict[str, str]) -> None:
    stream = _add_stream(container, frames.shape[1:3], fps, codec, pixels, options)
    encoder = _FrameEncoder(pixels)
    for index, picture in enumerate(frames):
        container.mux(stream.encode(encoder(picture, index)))
    container.mux(stream.encode(None))


def _add_stream(container, size: tuple[int, ...], fps: float, codec: str, pixels: str, options: dict[str, str]):
    stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
    (stream.height, stream.width), stream.pix_fmt = size, pixels
    return stream


class _FrameEncoder:
    """Pictures uint8 `[H, W, 3]` to frames of a pixel format."""

    def __init__(self, pixels: str):
        self._pixels, self._reformatter = pixels, VideoReformatter()

    def __call__(self, picture: np.ndarray, index: int) -> av.VideoFrame:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = self._reformatter.reformat(frame, format=self._pixels, dst_colorspace=Colorspace.ITU601, threads=1)
        frame.pts = index
        return frame


WRITERS = {
    ".mp4": _write_mp4,
    ".mkv": _write_mkv,
    ".gif": lambda path, frames, fps: path.write_bytes(encode_gif(frames, fps)),
    ".webp": lambda path, frames, fps: path.write_bytes(encode_webp(frames, fps)),
    ".png": lambda path, frames, fps: path.write_bytes(encode_apng(frames, fps)),
    ".apng": lambda path, frames, fps: path.write_bytes(encode_apng(frames, fps)),
}


def _check_request(fps: float | None, size: int | tuple[int, int] | None, start: float) -> None:
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= MAX_FPS):
        raise ValueError(f"fps is {fps}; wanted above 0 and up to {MAX_FPS:g}; leave it out to keep the file's rate")
    if size is not None and min(_pair(size)) < 1:
        raise ValueError(f"size is {size}; wanted (rows, columns) or one number, each at least 1")
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"start is {start}; wanted seconds after the first frame, >= 0")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise VideoError(f"{path} does not exist; check the path")
    if not path.is_file():
        raise VideoError(f"{path} is not a file; give the path of one video file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); copy or download the file again")


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _shown_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Rows and columns after rotation."""
    sideways = round(frame.rotation / 90) % 2 == 1
    return (frame.width, frame.height) if sideways else (frame.height, frame.width)


def _mean_rate(stream: av.VideoStream) -> float:
    """Frames per second over the whole file; the rate ffmpeg guesses where that is as good as the same."""
    mean = float(stream.average_rate or DEFAULT_RATE)
    if stream.frames > 1 and stream.duration and stream.time_base:
        mean = stream.frames / float(stream.duration * stream.time_base)  # of a GIF, the average is of a few frames
    guess = float(stream.guessed_rate or mean)
    return guess if abs(guess / mean - 1) < 0.03 else mean


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _advice(path: Path) -> str:
    if path.suffix.lower() == ".webp":
        return "animated WebP can be written but not read; keep videos as .mp4, .mkv or .apng"
    if path.suffix.lower() in (".yuv", ".rgb", ".raw"):
        return "raw pictures carry no size or rate, so convert them first: ffmpeg -f rawvideo -video_size WxH -i ..."
    return "it may be cut off, damaged or of another kind: copy it again, or convert it with ffmpeg"
