"""`check_captions`: what is thin in captions, and what would spoil a training."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from ..caption_lines import TimedText

_WORD = re.compile(r"[^\W\d_]+")
_MOTION = frozenset(
    "bounce come drive enter fall fly follow go jump lift move open pan pass pick pour pull push ride roll rotate run shake "
    "slide spin stand still stop swim swing tilt turn walk wave zoom movement motion rest sit slow fast "
    "left right up down".split()
)
_LATE = 0.5  # seconds behind the end that nobody minds
_NEARLY_ALL, _MANY = 0.9, 0.5
_EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """Something that is thin.

    Attributes:
        what: In words, with what to do.
        count: How many files, entries or words.
        of: Of how many.
        examples: Some of them.
        spoils: Whether a training is spoilt by so many.
    """

    what: str
    count: int
    of: int
    examples: tuple[str, ...]
    spoils: bool = False

    def __str__(self) -> str:
        shown = f": {'; '.join(self.examples)}" if self.examples else ""
        return f"{self.what}: {self.count:,} of {self.of:,}{shown}"


Texts = Mapping[str, Sequence[TimedText]]


def check_captions(
    texts: Texts,
    lengths: Mapping[str, float | None] | None = None,
    pieces: Callable[[Sequence[str]], Sequence[int]] | None = None,
    most_pieces: int = 48,
) -> list[Finding]:
    """What is thin in captions, the worst first.

    Args:
        texts: Entries by file; a file without any has none.
        lengths: Seconds of each file, as far as they are known.
        pieces: How many pieces the text encoder makes of each of some texts.
        most_pieces: How many of them it reads.
    """
    said = {file: [text for text in entries if text.text] for file, entries in texts.items()}
    every = [text.text for entries in said.values() for text in entries]
    found = [
        _without(said),
        *_alike(said),
        _names(said),
        _times(said, lengths or {}),
        _overlaps(said),
        _no_motion(said),
        _rare(every),
    ]
    if pieces is not None and every:
        found.append(_too_long(every, pieces, most_pieces))
    return sorted((finding for finding in found if finding.count), key=lambda finding: not finding.spoils)


def _without(said: Texts) -> Finding:
    missing = [file for file, entries in said.items() if not entries]
    return _finding("files without captions; they train the null prompt alone", missing, len(said), _MANY)


def _alike(said: Texts) -> list[Finding]:
    first = Counter(tuple(text.text for text in entries) for entries in said.values() if entries)
    if len(said) < 3 or not first:
        return []
    (most, count), *_ = first.most_common(1)
    if count < _MANY * len(said):
        return []
    return [
        Finding(
            "files of one caption; a prompt cannot choose among them",
            count,
            len(said),
            most[:1],
            count >= _NEARLY_ALL * len(said),
        )
    ]


def _names(said: Texts) -> Finding:
    named = [f"{file} {text.text!r}" for file, entries in said.items() for text in entries if _is_name(text.text, file)]
    return _finding("texts that are file names", named, sum(map(len, said.values())), 0.2)


def _is_name(text: str, file: str) -> bool:
    stem = PurePosixPath(file).stem.lower()
    looks = re.fullmatch(r"\S+\.(mp4|mkv|mov|avi|webm|gif|m4v)|(img|vid|dsc|mvi|gopr|dji)[_-]?\d+", text.strip(), re.IGNORECASE)
    return looks is not None or (bool(re.search(r"[\d_]", stem)) and text.strip().lower() in (stem, stem.replace("_", " ")))


def _times(said: Texts, lengths: Mapping[str, float | None]) -> Finding:
    late = []
    for file, entries in said.items():
        length = lengths.get(file)
        if length is None:
            continue
        for text in entries:
            if text.start >= length or _LATE < text.end - length < math.inf:
                late.append(f"{file} {text.start:g} s to {text.end:g} s of {length:.1f} s")
    return _finding("entries beyond the end of the video", late, sum(map(len, said.values())), 0.2)


def _overlaps(said: Texts) -> Finding:
    over = [
        f"{file} at {after.start:g} s"
        for file, entries in said.items()
        for before, after in pairwise(sorted(entries, key=lambda text: text.start))
        if after.start < before.end - 1e-3
    ]
    return _finding("entries that overlap; where they do, the later one holds", over, sum(map(len, said.values())), 2)


def _no_motion(said: Texts) -> Finding:
    dull = [file for file, entries in said.items() if entries and not any(_moves(text.text) for text in entries)]
    return _finding("files without a word of motion", dull, len(said), 2)


def _moves(text: str) -> bool:
    """Whether a word is one of motion, in any of its forms."""
    return any(_stem(word) in _STEMS for word in _WORD.findall(text.lower()))


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsf" else word


_STEMS = frozenset(map(_stem, _MOTION)) | {"lef", "ran", "went", "stood", "fell", "flew"}


def _rare(every: Sequence[str]) -> Finding:
    words = Counter(word for text in every for word in _WORD.findall(text.lower()))
    once = sorted(word for word, count in words.items() if count == 1)
    return _finding("words that occur once; nobody learns them", once, len(words), 2)


def _too_long(every: Sequence[str], pieces: Callable[[Sequence[str]], Sequence[int]], most: int) -> Finding:
    texts = sorted(set(every))
    long = [f"{text[:60]!r}... has {number}" for text, number in zip(texts, pieces(texts), strict=True) if number > most]
    return _finding(f"texts of more than {most} pieces; the text encoder cuts them off", long, len(texts), 0.5)


def _finding(what: str, found: Sequence[str], of: int, spoils_from: float) -> Finding:
    return Finding(what, len(found), of, tuple(found[:_EXAMPLES]), bool(of) and len(found) / of >= spoils_from)
