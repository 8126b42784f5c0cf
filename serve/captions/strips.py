"""`Strips`: a row of small pictures over the time of a video, made when first asked for and kept in the user's cache."""

import hashlib
import os
import threading
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
from einops import rearrange

from ...data import VideoError, VideoReader
from ...data.captioning import small_size
from ...data.files import replacing
from ...data.images import encode_image

PICTURES = 12
"""Pictures of a strip."""
_HEIGHT, _WIDTH = 72, 96
_SHORT = 20.0  # seconds of a video that is read through, where a longer one is read at twelve places
_FRAME_SIDE = 640


class Strips:
    """Pictures of videos as JPEG; at most two are made at a time.

    Args:
        cache: The folder to keep strips in; None is a folder of the user's cache. If it cannot be written, none are kept.
    """

    def __init__(self, cache: Path | None = None):
        self._cache = _cache_folder() if cache is None else cache
        self._turns = threading.Semaphore(2)

    def strip(self, path: Path) -> bytes:
        """Twelve pictures side by side, of 96 x 72 pixels each. A kept strip holds as long as the file has its size and time.

        Raises:
            VideoError: The file holds no readable video.
        """
        kept = self._cache / f"{_key(path)}.jpg"
        with suppress(OSError):
            return kept.read_bytes()
        with self._turns:
            made = encode_image(rearrange(np.stack(_pictures(path)), "n h w c -> h (n w) c"), "jpeg")
        with suppress(OSError, ValueError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as temporary:
                temporary.write_bytes(made)
        return made

    def frame(self, path: Path, at: float) -> bytes:
        """What is seen at a moment, in seconds; of a later one than the end, the last picture near it."""
        with self._turns:
            return encode_image(_picture_at(path, at, small_size(path, _FRAME_SIDE)), "jpeg")


def _pictures(path: Path) -> list[np.ndarray]:
    """uint8 `[72, 96, 3]` each, at even distances."""
    size = (_HEIGHT, _WIDTH)
    with VideoReader(path, fps=PICTURES, size=size) as reader:
        seconds = reader.info().duration
        if seconds is None or seconds <= _SHORT:
            frames = list(islice(reader, round(_SHORT * PICTURES)))
            if not frames:
                raise VideoError(f"{path} shows no frame; make it anew")
            return [frames[int((number + 0.5) * len(frames) / PICTURES)] for number in range(PICTURES)]
    return [_picture_at(path, (number + 0.5) * seconds / PICTURES, size) for number in range(PICTURES)]


def _picture_at(path: Path, at: float, size: tuple[int, int]) -> np.ndarray:
    for moment in (at, max(0.0, at - 1), 0.0):  # headers may promise more than there is
        with VideoReader(path, fps=PICTURES, size=size, start=moment) as reader:
            for frame in reader:
                return frame
    raise VideoError(f"{path} shows no frame; make it anew")


def _key(path: Path) -> str:
    found = path.stat()
    return hashlib.sha256(os.fsencode(f"{path.resolve()}|{found.st_size}|{found.st_mtime_ns}|1")).hexdigest()[:32]


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "framecast" / "strips"
