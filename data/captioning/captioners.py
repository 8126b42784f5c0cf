"""Who writes captions: the rules, a function of a user, or a model of `transformers` on this machine."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..caption_lines import TimedText, timeline_of
from ..foreign import callable_named
from ..json_lines import NOT_A_ROW
from ..kinds import shown
from ..video import VideoReader
from .lines import MODEL, RULES
from .picture_model import PictureModel
from .watching import Shot, small_size, watch

_SIDE = 384  # pixels of the longer side of the pictures that a model sees
_RATE = 4.0  # pictures a second that a function gets
_LONGEST = 60.0  # seconds that a function gets at once
_PICTURES = 3  # of a stretch, that a model of one picture sees
TRANSFORMERS = "transformers:"
_WANTED = "wanted transformers:FOLDER or package.module:function, which is called with frames and their rate"


class CaptionerError(Exception):
    """A captioner cannot go on: it is at fault, and not a video."""


class Captioner(ABC):
    """Writes the captions of a video.

    Attributes:
        name: What "by" says.
    """

    name: str

    @abstractmethod
    def captions(self, path: Path) -> list[TimedText]:
        """The timeline of a video, in order.

        Raises:
            VideoError: The file cannot be read.
            CaptionerError: The captioner fails, and would fail on others too.
        """


class ByRules(Captioner):
    """Says what is measured."""

    name = RULES

    def captions(self, path: Path) -> list[TimedText]:
        """An entry for each stretch of each shot."""
        return [entry for shot in watch(path) for entry in shot.entries()]


class ByFunction(Captioner):
    """A function of the user's, called with frames uint8 `[T, H, W, 3]` and their rate for each shot, or minute of a shot.

    The function returns a text, or a list of `{"start", "end", "text"}` in seconds after the first of the frames.

    Args:
        function: What is called.
        name: What it was called on the command line.
    """

    def __init__(self, function: Callable[[np.ndarray, float], Any], name: str):
        self._function, self.name = function, MODEL + name

    def captions(self, path: Path) -> list[TimedText]:
        """What the function says, shot by shot."""
        size = small_size(path, _SIDE)
        return [entry for shot in watch(path, ()) for start, end in _parts(shot) for entry in self._of(path, size, start, end)]

    def _of(self, path: Path, size: tuple[int, int], start: float, end: float) -> list[TimedText]:
        frames = _frames(path, size, start, max(1, math.floor((end - start) * _RATE)), _RATE)
        try:
            told = self._function(frames, _RATE)
        except Exception as error:  # whatever the code of others raises
            raise CaptionerError(f"{self.name} failed at {path.name}, {start:.1f} s: {type(error).__name__}: {error}") from error
        return _as_entries(told, start, end, self.name)


class ByPictures(Captioner):
    """A model of single pictures, asked for the middle of each stretch, with what the rules say of motion behind its words.

    Args:
        model: What is asked.
        name: What it is called.
    """

    def __init__(self, model: PictureModel, name: str):
        self._model, self.name = model, MODEL + name

    def captions(self, path: Path) -> list[TimedText]:
        """One description for each shot, by a few of its pictures; the entries are those of the rules."""
        size = small_size(path, _SIDE)
        return [entry for shot in watch(path) for entry in self._of(path, size, shot)]

    def _of(self, path: Path, size: tuple[int, int], shot: Shot) -> list[TimedText]:
        moments = [shot.start + (shot.end - shot.start) * (number + 0.5) / _PICTURES for number in range(_PICTURES)]
        pictures = [_frames(path, size, moment, 1, _RATE)[0] for moment in moments]
        text = most_alike(self._model.describe(pictures))
        entries = shot.entries()
        return [
            TimedText(entry.start, entry.end, ", ".join(filter(None, (text, *phrases.words[:2]))))
            for entry, phrases in zip(entries, shot.said, strict=True)
        ]


def captioner_of(name: str | None) -> Captioner:
    """The captioner of a name: None for the rules, "transformers:FOLDER", or "package.module:function".

    Raises:
        ValueError: There is none of that name.
    """
    if name is None:
        return ByRules()
    if name.startswith(TRANSFORMERS):
        from .huggingface import LocalModel

        folder = Path(name.removeprefix(TRANSFORMERS))
        return ByPictures(LocalModel(folder), folder.resolve().name)
    return ByFunction(callable_named(name, "captioner", _WANTED), name)


def most_alike(texts: Sequence[str]) -> str:
    """The text that shares most of its words with the others: what a model sees once, in one picture, is likelier wrong."""
    words = [set(text.lower().split()) for text in texts]
    shared = [sum(len(own & others) / max(len(own | others), 1) for others in words) for own in words]
    return " ".join(texts[int(np.argmax(shared))].split()).rstrip(".")


def _parts(shot: Shot) -> list[tuple[float, float]]:
    number = math.ceil((shot.end - shot.start) / _LONGEST - 1e-9)
    borders = np.linspace(shot.start, shot.end, max(1, number) + 1)
    return [(float(a), float(b)) for a, b in pairwise(borders)]


def _frames(path: Path, size: tuple[int, int], start: float, number: int, rate: float) -> np.ndarray:
    """At most so many frames uint8 `[T, H, W, 3]` from a moment on, at least one."""
    with VideoReader(path, fps=rate, size=size, start=start) as reader:
        found = list(islice(reader, number))
    if not found:
        with VideoReader(path, fps=rate, size=size) as reader:
            found = list(reader)[-1:]
    return np.stack(found)


def _as_entries(told: Any, start: float, end: float, name: str) -> list[TimedText]:
    """What a function told, as entries within its shot."""
    if isinstance(told, str):
        return [TimedText(round(start, 3), round(end, 3), " ".join(told.split()))]
    try:
        texts = timeline_of({"captions": list(told)})
    except NOT_A_ROW as error:
        wanted = 'wanted a text, or a list of {"start", "end", "text"} in seconds after the first frame'
        raise CaptionerError(f"{name} gave {shown(told)}; {wanted} ({error})") from error
    inside = [text for text in texts if start + text.start < end]
    return [TimedText(round(start + text.start, 3), round(min(start + text.end, end), 3), text.text) for text in inside]
