"""What can be wrong with a video file, and how it is said."""

import math
import os
import stat
from pathlib import Path

import av

from ..images import MAX_FPS
from ..kinds import real, sides

DECODE_ERRORS = (av.FFmpegError, IndexError, UnicodeDecodeError)  # what PyAV raises on damaged files


class VideoError(ValueError):
    """A video file that cannot be read as asked; the message names the file, what is wrong and what to do."""


def reason_of(error: Exception) -> str:
    """The reason in a few words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def advice_for(path: Path) -> str:
    """What to do about a file that ffmpeg cannot read."""
    if path.suffix.lower() == ".webp":
        return "animated WebP can be written but not read; keep videos as .mp4, .mkv or .apng"
    if path.suffix.lower() in (".yuv", ".rgb", ".raw"):
        return "raw pictures carry no size or rate, so convert them first: ffmpeg -f rawvideo -video_size WxH -i ..."
    return "it may be cut off, damaged or of another kind: copy it again, or convert it with ffmpeg"


def check_file(path: Path) -> None:
    """Makes sure that a path is a regular file with something in it, without opening it: opening a pipe would wait for ever.

    Raises:
        VideoError: If it is not.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise VideoError(f"{path} is a link to what does not exist; check the path") from error
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise VideoError(f"{path} {'does not exist' if missing else f'is out of reach ({error})'}; check the path") from error
    if not stat.S_ISREG(found.st_mode):
        raise VideoError(f"{path} is not a file but {_kind(found.st_mode)}; give the path of one video file")
    if found.st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); copy or download the file again")


def _kind(mode: int) -> str:
    kinds = {"a folder": stat.S_ISDIR, "a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
    return next((kind for kind, holds in kinds.items() if holds(mode)), "a device")


def check_request(fps: float | None, size: int | tuple[int, int] | None, start: float) -> None:
    """Checks what is asked of a reader.

    Raises:
        ValueError: If an argument is out of range.
    """
    for name, value in (("fps", fps), ("start", start)):
        if value is not None or name == "start":
            real(name, value, -math.inf, math.inf, "a number, of frames per second or of seconds")
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= MAX_FPS):
        raise ValueError(f"fps is {fps}; wanted above 0 and up to {MAX_FPS:g}; leave it out to keep the file's rate")
    if size is not None:
        rows_and_columns(size)
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"start is {start}; wanted seconds after the first frame, >= 0")


def rows_and_columns(size: int | tuple[int, int]) -> tuple[int, int]:
    """One number stands for a square. Raises ValueError if it is no size."""
    return sides("size", size)
