"""`Timeline`: prompts and when they hold, for sampling and for training alike."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..stride import Stride
from .clips import Caption
from .moments import FORMS, split_moment
from .sprites import resolve_it

_SEPARATOR = re.compile("[;\uff1b]")


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
        """Reads "a red circle moves right; at 2s it stops; at 0:03 it moves up"; "it" is the sprite that was spoken of before.

        Raises:
            ValueError: What follows a ";" begins with no time that can be read, or the entries are not as above.
        """
        first, *rest = _SEPARATOR.split(text)
        entries = [(0.0, _without_start(first))]
        for part in filter(str.strip, rest):
            moment = split_moment(part)
            if moment is None:
                raise ValueError(
                    f'got "{part.strip()}" after a ";", which begins with no time that can be read; wanted a time, such as '
                    f"{FORMS}, and what the video shows then; write a comma if no time is meant"
                )
            entries.append((moment[0], resolve_it(moment[1], entries[-1][1])))
        return cls(tuple(entries))

    @classmethod
    def of(cls, prompt: "str | Timeline | Sequence[tuple[float, str]]") -> "Timeline":
        """The timeline that a prompt means: a text, pairs of seconds and text, or a timeline already."""
        if isinstance(prompt, Timeline):
            return prompt
        if isinstance(prompt, str):
            return cls.parse(prompt)
        try:
            return cls(tuple((float(start), str(text)) for start, text in prompt))
        except TypeError as error:
            raise ValueError(f"got {prompt!r:.80} as prompts; wanted pairs of seconds and text") from error

    def captions(self, fps: float) -> tuple[Caption, ...]:
        """The prompts by frame; of several that start in one frame the last one holds."""
        texts = {round(start * fps): text for start, text in self.entries}
        return tuple(Caption(start, text) for start, text in texts.items())


def latent_captions(captions: Sequence[Caption], stride: Stride) -> tuple[Caption, ...]:
    """The captions with starts that count latent frames; of several in one latent frame the last one holds."""
    texts = {stride.latent_index(caption.start): caption.text for caption in captions}
    return tuple(Caption(start, text) for start, text in texts.items())


def next_prompt(text: str, before: str) -> str:
    """The prompt that a text means for a stream that runs under the prompt `before`; it holds at once.

    Raises:
        ValueError: It is a timeline, or it says "it" and the prompt before speaks of two objects.
    """
    if not isinstance(text, str):
        raise ValueError(f"got {text!r:.80} as a prompt; wanted a text, which holds at once")
    if _SEPARATOR.search(text):
        raise ValueError(
            f'got "{text}" with a ";" for a stream that runs; wanted one prompt, which holds at once; give a timeline when '
            "the stream begins, or each prompt when its time has come"
        )
    return resolve_it(text.strip(), before)


def _without_start(first: str) -> str:
    """The first prompt; that it holds "at 0s" need not be said, but can be."""
    moment = split_moment(first)
    return moment[1] if moment is not None and moment[0] == 0 else first.strip()
