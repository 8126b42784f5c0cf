"""Video files out."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import IO, Self

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from torch import Tensor

from ..files import naming, replacing
from ..images import check_frames, encode_apng, encode_gif, encode_webp
from ..kinds import as_path

X264_REPEATABLE = {"x264-params": "mbtree=0"}  # with it, the same frames gave other files from one call to the next


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
    path = as_path(path, "a file to write")
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
        self._path = Path(file) if isinstance(file, (str, Path)) else None
        target = _address(file) if isinstance(file, (str, Path)) else file
        self._container = av.open(target, "w", format="mp4", options=options)
        self._stream = _add_stream(
            self._container, (height, width), fps, "libx264", "yuv420p", {"crf": "12", "tune": "zerolatency", **X264_REPEATABLE}
        )
        self._encoder, self._count = _FrameEncoder("yuv420p"), 0

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, uint8 `[H, W, 3]`."""
        with _system_errors(self._path):
            self._container.mux(self._stream.encode(self._encoder(image, self._count)))
        self._count += 1

    def close(self) -> None:
        """Ends the file; the file object that was given stays open."""
        with _system_errors(self._path):
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
        full_colour: Whether colour has the size of the picture, and not half of it: small pictures stay sharp (yuv444p).
    """

    def __init__(self, path: Path, height: int, width: int, fps: float, full_colour: bool = False):
        self._padding = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
        self._container = av.open(_address(path), "w", format="mp4", options={"movflags": "+faststart"})
        size, pixels = (height + height % 2, width + width % 2), "yuv444p" if full_colour else "yuv420p"
        self._stream = _add_stream(self._container, size, fps, "libx264", pixels, {"crf": "12", **X264_REPEATABLE})
        self._encoder, self._count = _FrameEncoder(pixels), 0

    def write(self, frames: np.ndarray) -> None:
        """Adds frames, uint8 `[T, H, W, 3]`."""
        with _system_errors():
            for picture in np.pad(frames, self._padding, mode="edge"):
                self._container.mux(self._stream.encode(self._encoder(picture, self._count)))
                self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with _system_errors(), self._container:
            if kind is None:
                self._container.mux(self._stream.encode(None))


def _write_mp4(path: Path, frames: np.ndarray, fps: float) -> None:
    with Mp4Writer(path, frames.shape[1], frames.shape[2], fps) as writer:
        writer.write(frames)


def _write_mkv(path: Path, frames: np.ndarray, fps: float) -> None:
    no_random_name = {"fflags": "+bitexact"}
    with _system_errors(), av.open(_address(path), "w", format="matroska", options=no_random_name) as container:
        _encode(container, frames, fps, "ffv1", "bgr0", {})


def _encode(container, frames: np.ndarray, fps: float, codec: str, pixels: str, options: dict[str, str]) -> None:
    stream = _add_stream(container, frames.shape[1:3], fps, codec, pixels, options)
    encoder = _FrameEncoder(pixels)
    for index, picture in enumerate(frames):
        container.mux(stream.encode(encoder(picture, index)))
    container.mux(stream.encode(None))


def _add_stream(container, size: tuple[int, ...], fps: float, codec: str, pixels: str, options: dict[str, str]):
    stream = container.add_stream(codec, rate=Fraction(float(fps)).limit_denominator(1001), options=options)
    (stream.height, stream.width), stream.pix_fmt = size, pixels
    return stream


@contextmanager
def _system_errors(path: Path | None = None) -> Iterator[None]:
    """Turns ffmpeg's errors into those of the system, which name the file if it is known here."""
    with naming(path) if path is not None else nullcontext():
        try:
            yield
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise OSError(error.errno, error.strerror) from error


def _address(path: str | Path) -> str:
    """A path that ffmpeg takes as one, also if there is a colon in it."""
    return f"file:{path}"


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
