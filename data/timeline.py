"""`Timeline`: prompts and when they hold, for sampling and for training alike."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .captions import resolve_it
from .clips import Caption

_AT = re.compile(r"\s*;\s*at\s+([0-9.]+)\s*s(?:ec(?:ond)?s?)?\b[\s,:]*", re.IGNORECASE)


@dataclass(frozen=True)
class Timeline:
    """Prompts, each from a moment on.

    Raises:
        ValueError: The first entry does not start at 0, they do not follow each other, or a text is empty.
    """

    entries: tuple[tuple[float, str], ...]
    """Seconds from the start of the video, ascending from 0, and the prompt that holds from then on."""

    def __post_init__(self):
        starts = [start for start, _ in self.entries]
        if not starts or starts[0] != 0 or any(a >= b for a, b in pairwise(starts)) or not all(map(math.isfinite, starts)):
            raise ValueError(
                f"got prompts from seconds {starts}; wanted the first at 0 and each later than the one before, as in "
                '"a red circle moves right; at 2s it stops"'
            )
        empty = [start for start, text in self.entries if not text.strip()]
        if empty:
            raise ValueError(f"got an empty prompt at {empty[0]:g} s; wanted words for every moment of the timeline")

    @classmethod
    def parse(cls, text: str) -> "Timeline":
        """Reads "a red circle moves right; at 2s it stops; at 3s it moves up"; "it" is the sprite that was spoken of before."""
        first, *rest = _AT.split(text)
        entries = [(0.0, first.strip())]
        for start, later in zip(rest[::2], rest[1::2], strict=True):
            entries.append((_seconds(start, text), resolve_it(later.strip(), entries[-1][1])))
        return cls(tuple(entries))

    @classmethod
    def of(cls, prompt: "str | Timeline | Sequence[tuple[float, str]]") -> "Timeline":
        """The timeline that a prompt means: a text, pairs of seconds and text, or a timeline already."""
        if isinstance(prompt, Timeline):
            return prompt
        if isinstance(prompt, str):
            return cls.parse(prompt)
        return cls(tuple((float(start), str(text)) for start, text in prompt))

    def captions(self, fps: float) -> tuple[Caption, ...]:
        """The prompts by frame; of several that start in one frame the last one holds."""
        texts = {round(start * fps): text for start, text in self.entries}
        return tuple(Caption(start, text) for start, text in texts.items())


def latent_captions(captions: Sequence[Caption], temporal_stride: int) -> tuple[Caption, ...]:
    """The captions with starts that count latent frames; of several in one latent frame the last one holds."""
    texts = {latent_index(caption.start, temporal_stride): caption.text for caption in captions}
    return tuple(Caption(start, text) for start, text in texts.items())


def latent_index(frame: int, temporal_stride: int) -> int:
    """The latent frame that a frame belongs to: the first frame has one of its own, then `temporal_stride` share one."""
    return -(-frame // temporal_stride)


def _seconds(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise ValueError(
            f'got the timeline "{text}" with the time "{number}"; wanted a number of seconds, as in "at 2.5s"'
        ) from None
