"""`CaptionFile`: `captions.jsonl` as a file in which lines are changed and none is lost."""

import fcntl
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..caption_lines import CAPTIONS_FILE, WANTED, TimedText, parse_row
from ..files import replacing
from ..json_lines import NOT_A_ROW, json_lines

HAND, RULES, MODEL = "hand", "rules", "model:"
"""What "by" says: a person, the rules, or a model whose name follows."""


@dataclass(frozen=True)
class Line:
    """What `captions.jsonl` says of a file.

    Attributes:
        texts: The entries, in order.
        by: Who wrote them; "" if the line does not say.
        version: Changes with each change of the line; "" if there is none.
    """

    texts: tuple[TimedText, ...] = ()
    by: str = ""
    version: str = ""

    @property
    def says_something(self) -> bool:
        """Whether there is any text."""
        return any(text.text for text in self.texts)

    @property
    def is_made(self) -> bool:
        """Whether rules or a model wrote it."""
        return self.by == RULES or self.by.startswith(MODEL)


class CaptionFile:
    """`captions.jsonl` of a folder. Lines that are not changed, or mean nothing, stay as they are, byte for byte.

    Several processes may change one file: each reads it again before it changes a line, and replaces it whole.

    Args:
        folder: The folder of the videos.

    Raises:
        ValueError: The file is there and cannot be read.
    """

    def __init__(self, folder: Path):
        self.path = folder / CAPTIONS_FILE
        self._state: tuple[int, ...] | None = None
        self._rows: list[bytes] = []
        self._numbers: dict[str, int] = {}
        self._lines: dict[str, Line] = {}
        self.read()

    def read(self) -> None:
        """Takes in what others have changed."""
        state = _state(self.path)
        if state is not None and state == self._state:
            return
        self._state, self._rows, self._numbers, self._lines = state, [], {}, {}
        if os.path.lexists(self.path):
            for number, (_, row) in enumerate(json_lines(self.path, WANTED)):
                self._rows.append(row.rstrip(b"\r"))
                self._note(number, row)

    def _note(self, number: int, row: bytes) -> None:
        with suppress(*NOT_A_ROW):
            file, texts = parse_row(row)
            if file not in self._numbers:
                by = json.loads(row).get("by")
                self._numbers[file] = number
                self._lines[file] = Line(texts, by if isinstance(by, str) else "", hashlib.sha256(row.strip()).hexdigest()[:16])

    @property
    def files(self) -> list[str]:
        """The files that lines name, in their order."""
        return list(self._numbers)

    def line(self, file: str) -> Line:
        """What is said of a file; an empty line if nothing is."""
        return self._lines.get(file, Line())

    def change(self, new: dict[str, tuple[Sequence[TimedText], str]], may: Callable[[Line], bool]) -> list[str]:
        """Writes what is to be said of files, each with who says it.

        Args:
            new: Entries and writer by file.
            may: Whether a line as it stands now may be replaced; asked while nobody else can write.

        Returns:
            The files whose lines were left as they are.

        Raises:
            WriteError: The file cannot be written.
        """
        with _alone(self.path.parent):
            self.read()
            kept = [file for file in new if not may(self.line(file))]
            for file, (texts, by) in new.items():
                if file not in kept:
                    self._put(file, texts, by)
            if len(kept) < len(new):
                self._write()
        return kept

    def keep_copy(self) -> Path | None:
        """Keeps the file as it is beside itself, under a name that is free; None if there is no file."""
        if not self.path.exists():
            return None
        number = 1
        while (copy := self.path.with_name(f"captions.before-{number}.jsonl")).exists():
            number += 1
        with replacing(copy) as temporary:
            shutil.copyfile(self.path, temporary)
        return copy

    def _put(self, file: str, texts: Sequence[TimedText], by: str) -> None:
        number = self._numbers.get(file)
        old = {} if number is None else json.loads(self._rows[number].removeprefix(b"\xef\xbb\xbf"))
        row = {"file": file} | {key: value for key, value in old.items() if key not in ("caption", "captions", "by")}
        written = json.dumps(row | _plain(texts) | {"by": by}, ensure_ascii=False).encode("utf-8", "backslashreplace")
        if number is None:
            number = len(self._rows)
            self._rows.append(written)
        self._rows[number] = written
        self._numbers.pop(file, None)
        self._note(number, written)

    def _write(self) -> None:
        with replacing(self.path) as temporary:
            temporary.write_bytes(b"".join(row + b"\n" for row in self._rows))
        self._state = _state(self.path)


def _plain(texts: Sequence[TimedText]) -> dict[str, Any]:
    """The entries as a line has them; one that holds throughout as "caption"."""
    if len(texts) == 1 and texts[0].start == 0 and math.isinf(texts[0].end):
        return {"caption": texts[0].text}
    entries: list[dict[str, Any]] = []
    for text in texts:
        end = {} if math.isinf(text.end) else {"end": text.end}
        entries.append({"start": text.start, **end, "text": text.text})
    return {"captions": entries}


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells whether a file has been replaced."""
    with suppress(OSError):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other processes from changing the captions; where a file system has no locks, the last one wins."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
