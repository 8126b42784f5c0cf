"""`caption_folder`: writes the captions of a folder's videos, keeps what a person wrote, and goes on where it stopped."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...progress import Task
from ..caption_lines import TimedText
from ..kinds import as_path
from ..listing import all_videos, chosen_by
from ..video import VideoError
from .captioners import Captioner
from .lines import HAND, CaptionFile, Line

_EVERY = 5.0  # seconds between two writes


@dataclass
class Captioned:
    """What became of a folder.

    Attributes:
        files: Entries written, by file.
        kept: Files whose captions were kept, by who wrote them; "" is somebody who did not say.
        skipped: Why a file has no captions now.
        copy: Where the lines of unknown writers were kept before some were replaced.
    """

    files: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    copy: Path | None = None


def caption_folder(
    folder: str | Path, captioner: Captioner, include: str | Sequence[str] = ("*",), overwrite: bool = False
) -> Captioned:
    """Writes `captions.jsonl` for the videos below a folder, also for those that it does not name yet.

    Lines that say something are kept. With `overwrite`, those of rules and models are written anew. So are those that do not say
    who wrote them, after a copy of the file was made. Lines by hand always stay. The file is written every five seconds and at
    the end, whatever ends the work, so a later call goes on.

    Args:
        folder: The folder of the videos.
        captioner: Who writes.
        include: Patterns of paths below the folder, or one; a file must match one.
        overwrite: Whether captions that are there may be replaced.

    Raises:
        ValueError: There is no such folder, no video in it, or its captions cannot be read.
        WriteError: The captions cannot be written.
        CaptionerError: The captioner fails.
    """
    root = as_path(folder, "the folder of the videos")
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; give the folder that holds the videos")
    captions, done = CaptionFile(root), Captioned()
    files = videos_of(root, captions, include)
    todo = []
    for file in files:
        line = captions.line(file)
        if _may_write(line, overwrite):
            todo.append(file)
        else:
            done.kept[file] = line.by
    if any(captions.line(file).says_something and not captions.line(file).is_made for file in todo):
        done.copy = captions.keep_copy()
    _Writing(root, captions, captioner, overwrite, done).run(todo)
    return done


def videos_of(root: Path, captions: CaptionFile, include: str | Sequence[str] = ("*",)) -> list[str]:
    """The videos below a folder, those that captions name first, in order.

    Raises:
        ValueError: There is none.
    """
    there = all_videos(root)
    named = [file for file in captions.files if (root / file).is_file()]
    files = [file for file in dict.fromkeys([*named, *there]) if chosen_by(file, include)]
    if not files:
        raise ValueError(f"there is no video below {root} that fits {include!r}; name the folder that holds your videos")
    return files


def _may_write(line: Line, overwrite: bool) -> bool:
    return not line.says_something or (overwrite and line.by != HAND)


class _Writing:
    """Captions that are made and wait to be written."""

    def __init__(self, root: Path, captions: CaptionFile, captioner: Captioner, overwrite: bool, done: Captioned):
        self._root, self._captions, self._captioner, self._overwrite = root, captions, captioner, overwrite
        self._done, self._new, self._written = done, dict[str, tuple[Sequence[TimedText], str]](), time.monotonic()

    def run(self, files: Sequence[str]) -> None:
        with Task(f"captioning {self._root}", len(files), "files") as task:
            try:
                for file in files:
                    self._caption(file)
                    task.advance()
            finally:
                self._write()

    def _caption(self, file: str) -> None:
        try:
            self._new[file] = self._captioner.captions(self._root / file), self._captioner.name
        except VideoError as error:
            self._done.skipped[file] = str(error).replace(str(self._root / file), file)
        if time.monotonic() - self._written > _EVERY:
            self._write()

    def _write(self) -> None:
        new, self._new = self._new, {}
        kept = self._captions.change(new, lambda line: _may_write(line, self._overwrite)) if new else []
        self._done.kept |= {file: self._captions.line(file).by for file in kept}
        self._done.files |= {file: len(texts) for file, (texts, _) in new.items() if file not in kept}
        self._written = time.monotonic()
