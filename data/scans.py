"""What was found when the files of a folder were read, kept beside them, so that each is read through only once."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .files import replacing
from .video import DECODED_BY

FORMAT = 1
INDEX_FILE = ".framecast-index.json"
_LEAST_PAUSE, _PAUSE_SHARE = 60.0, 20.0
"""Seconds from one save to the next while files are read, and how much longer that is than a save takes."""


@dataclass(frozen=True)
class Scan:
    """What one file gave at one setting."""

    clips: tuple[str, ...] = ()
    """A short hash of the frames of each clip."""
    damage: str | None = None
    """What could not be decoded."""
    skipped: str | None = None
    """Why it gives no clip."""
    shown: tuple[int, ...] = ()
    """Which stored frame is shown at each moment of the file, one by one at the rate of the clips, if that was asked for."""
    num_frames: int = 0
    """Stored frames, if that was asked for."""
    starts: tuple[int, ...] = ()
    """The first frame of each clip, at the rate of the clips, if they do not follow one another at one step."""
    bars: tuple[float, ...] = ()
    """The shares of a frame that black bars take: top, bottom, left and right."""
    cuts: int = 0
    """Cuts between shots."""
    cut: float = 0.0
    """The share of the picture that is cut off to make it fit."""
    still_clips: int = 0
    """Clips in which nothing moves."""
    seconds: float = 0.0
    """Seconds that were read; 0 if nobody counted."""
    length: float = 0.0
    """Seconds of the file by its header; 0 if nobody knows."""
    in_part: bool = False
    """Whether only stretches of it were read."""


@dataclass
class _File:
    """What is known of a file as long as its size and time stay."""

    size: int
    mtime_ns: int
    sha256: str | None = None
    scans: dict[str, Scan] = field(default_factory=dict)


class ScanIndex:
    """The scans of a folder by file and setting, in a hidden file in it, or in the user's cache if that cannot be written.

    What does not fit counts as unknown: another size or time of a file, another version of the reader, a damaged index. Several
    processes may use one index: each adds what it found to what is there, and replaces the file whole.
    """

    def __init__(self, root: Path):
        self._root = root
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._paths = [root / INDEX_FILE] if _may_write(root) else []
        self._paths.append(_cache_folder() / f"{name}.json")
        self._files = self._load()
        self._new: dict[str, _File] = {}
        self._saved, self._pause = time.monotonic(), _LEAST_PAUSE

    def scan(self, file: str, setting: str) -> Scan | None:
        """What the file gave at a setting, if that is known and the file is still the same."""
        known = self._known(file)
        return known.scans.get(setting) if known else None

    def add(self, file: str, setting: str, scan: Scan) -> None:
        """Keeps what a file gave; see `save`."""
        if (known := self._entry(file)) is not None:
            known.scans[setting] = scan

    def save_now_and_then(self) -> None:
        """Saves if that was long ago, so that a process that is killed loses minutes; writing takes a small share of the time."""
        begun = time.monotonic()
        if begun > self._saved + self._pause:
            self.save()
            self._saved = time.monotonic()
            self._pause = max(_LEAST_PAUSE, _PAUSE_SHARE * (self._saved - begun))

    def hash_of(self, file: str) -> str:
        """SHA-256 of a file, from memory if the file is still the same.

        Raises:
            ValueError: If it cannot be read.
        """
        known = self._known(file)
        if known is not None and known.sha256:
            return known.sha256
        try:
            with (self._root / file).open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise ValueError(f"{self._root / file} cannot be read ({error.strerror}); check the file") from error
        if (known := self._entry(file)) is not None:
            known.sha256 = digest
        return digest

    def save(self) -> None:
        """Writes what was added since the last time; if nothing can be written, files are read again next time."""
        if not self._new:
            return
        files = self._load()
        for file, new in self._new.items():
            old = files.get(file)
            if old is not None and (old.size, old.mtime_ns) == (new.size, new.mtime_ns):
                new.scans = {**old.scans, **new.scans}
                new.sha256 = new.sha256 or old.sha256
            files[file] = new
        content = json.dumps(
            {"format": FORMAT, "reader": DECODED_BY, "files": {file: asdict(known) for file, known in files.items()}}
        )
        for path in self._paths:
            with suppress(OSError, ValueError):
                path.parent.mkdir(parents=True, exist_ok=True)
                with replacing(path) as temporary:
                    temporary.write_text(content, encoding="utf-8")
                break
        self._files, self._new = files, {}

    def _known(self, file: str) -> _File | None:
        known = self._new.get(file) or self._files.get(file)
        return known if known is not None and _state(self._root / file) == (known.size, known.mtime_ns) else None

    def _entry(self, file: str) -> _File | None:
        """The entry to write to; None for a file that is not there or not ours to read."""
        state = _state(self._root / file)
        if state is None or not os.access(self._root / file, os.R_OK):
            return None
        known = self._known(file)
        self._new[file] = known if known is not None else _File(*state)
        return self._new[file]

    def _load(self) -> dict[str, _File]:
        for path in self._paths:
            with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return dict(_parsed(json.loads(path.read_text(encoding="utf-8"))))
        return {}


def _parsed(content: Any) -> Iterator[tuple[str, _File]]:
    if (content["format"], content["reader"]) != (FORMAT, DECODED_BY):
        raise ValueError("the index is of another version")
    for file, known in content["files"].items():
        scans = {setting: _scan(scan) for setting, scan in known["scans"].items()}
        yield file, _File(int(known["size"]), int(known["mtime_ns"]), known["sha256"], scans)


def _scan(scan: dict[str, Any]) -> Scan:
    """Older versions counted less."""
    return Scan(
        tuple(map(str, scan["clips"])),
        scan["damage"],
        scan["skipped"],
        tuple(map(int, scan.get("shown", ()))),
        int(scan.get("num_frames", 0)),
        tuple(map(int, scan.get("starts", ()))),
        tuple(map(float, scan.get("bars", ()))),
        int(scan.get("cuts", 0)),
        float(scan.get("cut", 0.0)),
        int(scan.get("still_clips", 0)),
        float(scan.get("seconds", 0.0)),
        float(scan.get("length", 0.0)),
        bool(scan.get("in_part", False)),
    )


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of a file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


def _may_write(folder: Path) -> bool:
    """Whether a folder is meant to be written; its mode counts also for those whom it does not stop."""
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "framecast" / "folders"
