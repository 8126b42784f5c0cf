"""`CaptionBook`: the videos of a folder with their captions, as a page shows and changes them."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data import VideoError, VideoReader
from ...data.caption_lines import TimedText, timeline_of
from ...data.captioning import HAND, CaptionFile, Line, videos_of
from ...data.json_lines import NOT_A_ROW
from ..protocol.errors import ServeError

SHOWN = ("all", "none", "rules", "model", "hand", "other")
"""Which videos a page asks for, by who wrote their captions."""
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Conflict(Exception):
    """The captions were changed elsewhere since they were read; `now` is what is said there."""

    now: dict[str, Any]


class CaptionBook:
    """The videos of a folder and what is said of them; may be used by several threads.

    Args:
        folder: The folder of the videos.
        include: Patterns of paths below the folder.

    Raises:
        ValueError: There is no video, or the captions cannot be read.
    """

    def __init__(self, folder: Path, include: Sequence[str] = ("*",)):
        self.folder, self._captions, self._lock = folder, CaptionFile(folder), threading.Lock()
        self._files = videos_of(folder, self._captions, include)
        self._known = frozenset(self._files)

    def page(self, start: int, count: int, show: str, find: str) -> dict[str, Any]:
        """Some of the videos that fit, and how many do.

        Args:
            start: How many of them come before.
            count: How many are wanted.
            show: One of `SHOWN`.
            find: A part of a file's name or of its captions, in any case.

        Raises:
            ServeError: A value is out of range.
        """
        if show not in SHOWN or start < 0 or not 1 <= count <= MOST_AT_ONCE:
            wanted = f"start from 0, count 1 to {MOST_AT_ONCE}, show one of {', '.join(SHOWN)}"
            raise ServeError("bad_message", f"got start {start}, count {count}, show {show[:40]!r}; wanted {wanted}")
        with self._lock:
            self._captions.read()
            rows = [(file, self._captions.line(file)) for file in self._files]
        fits = [(file, line) for file, line in rows if show in ("all", kind_of(line)) and _holds(file, line, find.lower())]
        videos = [_row(file, line) for file, line in fits[start : start + count]]
        return {"total": len(fits), "all": len(rows), "start": start, "videos": videos}

    def path_of(self, file: str) -> Path:
        """Where a video lies.

        Raises:
            ServeError: It is none of the folder's.
        """
        if file not in self._known:
            raise ServeError("not_found", f"got the video {file[:100]!r}; wanted one that this folder has")
        return self.folder / file

    def video(self, file: str) -> dict[str, Any]:
        """All that is said of a video, and its length in seconds; None if its header does not say, or it cannot be read."""
        path = self.path_of(file)
        with self._lock:
            self._captions.read()
            line = self._captions.line(file)
        try:
            with VideoReader(path, fps=1) as reader:
                seconds, broken = reader.info().duration, None
        except VideoError as error:
            seconds, broken = None, str(error)
        return {**_row(file, line), "seconds": seconds, "broken": broken, **_entries(line)}

    def save(self, file: str, version: str, captions: Any) -> dict[str, Any]:
        """Writes the captions of a video, by hand.

        Args:
            file: Which one.
            version: Of the captions that were changed.
            captions: A list of entries with start, end and text.

        Raises:
            ServeError: They are none.
            Conflict: The captions are not of that version any more.
            WriteError: They cannot be written.
        """
        self.path_of(file)
        try:
            texts = sorted(timeline_of({"captions": captions}), key=lambda text: text.start)
        except NOT_A_ROW as error:
            raise ServeError(
                "bad_message", f"got captions that are none ({error}); wanted start, end and text of each"
            ) from error
        with self._lock:
            kept = self._captions.change({file: (texts, HAND)}, lambda line: line.version == version)
            line = self._captions.line(file)
        if kept:
            raise Conflict({**_row(file, line), **_entries(line)})
        return {**_row(file, line), **_entries(line)}


def kind_of(line: Line) -> str:
    """One of `SHOWN` but "all"."""
    if not line.says_something:
        return "none"
    kind = line.by.partition(":")[0]
    return kind if kind in ("rules", "model", "hand") else "other"


def _row(file: str, line: Line) -> dict[str, Any]:
    first = next((text.text for text in line.texts if text.text), "")
    return {
        "file": file,
        "kind": kind_of(line),
        "by": line.by,
        "version": line.version,
        "entries": len(line.texts),
        "first": first[:160],
    }


def _entries(line: Line) -> dict[str, Any]:
    return {"captions": [_entry(text) for text in line.texts]}


def _entry(text: TimedText) -> dict[str, Any]:
    return {"start": text.start, "end": None if math.isinf(text.end) else text.end, "text": text.text}


def _holds(file: str, line: Line, find: str) -> bool:
    return not find or find in file.lower() or any(find in text.text.lower() for text in line.texts)
