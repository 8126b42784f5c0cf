"""Prompts: the forms they come in, and words that a model cannot know."""

import warnings
from collections.abc import Collection, Sequence
from typing import TypeGuard

from ..data import Caption, Timeline
from ..notices import Notice
from ..tokenizer import TextTokenizer

Prompt = str | Timeline | Sequence[tuple[float, str]]
"""What a video shows: a text, which may be a timeline, a `Timeline`, or pairs of seconds and text."""


_SHORT, _TOLD = 3, 12  # letters, and words


class PromptWarning(Notice):
    """A prompt that the video will not show, or not as it was meant."""


class UnseenWordsWarning(PromptWarning):
    """A prompt has words that were in no caption of the training."""


NO_CAPTION = "a video"
"""Stands in for a prompt where nothing is said; a model without captions takes no notice of it, with a guidance scale of 0."""


NO_PROMPT = ""
"""The null prompt: nothing is said. It is all that a model knows whose training had no captions, see `VideoGenerator.caption`."""


def is_batch(prompt: object) -> TypeGuard[Sequence[str | Timeline]]:
    """Whether it is a list of prompts, and not one prompt that changes."""
    return isinstance(prompt, (list, tuple)) and bool(prompt) and all(isinstance(one, (str, Timeline)) for one in prompt)


def timeline_of(prompt: Prompt) -> Timeline:
    """The timeline that one prompt means.

    Raises:
        ValueError: It is a list of prompts, or none of the forms of `Prompt`.
    """
    if is_batch(prompt):
        raise ValueError(
            f"got a list of {len(prompt)} prompts for one stream; wanted one prompt, or pairs of seconds and text; `generate` "
            "makes a clip of each, and a `StreamBatch` takes a stream of each"
        )
    if not isinstance(prompt, (str, Timeline)) and not _are_pairs(prompt):
        raise ValueError(f"got {prompt!r:.80} as a prompt; wanted a prompt, pairs of seconds and text, or a list of prompts")
    return Timeline.of(prompt)


def begins_unsaid(prompt: object) -> bool:
    """Whether a prompt, or the first of its texts, is the null prompt."""
    if isinstance(prompt, str):
        return prompt == NO_PROMPT
    return _are_pairs(prompt) and bool(prompt) and prompt[0][1] == NO_PROMPT  # type: ignore[index]


def captions_of(prompt: Prompt, fps: float) -> tuple[Caption, ...]:
    """The texts of one prompt by frame, as `Timeline.captions`; here the first may be the null prompt.

    Raises:
        ValueError: As `timeline_of`.
    """
    if not begins_unsaid(prompt):
        return timeline_of(prompt).captions(fps)
    later = [] if isinstance(prompt, (str, Timeline)) else list(prompt[1:])
    said = [Caption(one.start, one.text) for one in Timeline.of([(0.0, NO_CAPTION), *later]).captions(fps)]
    return (said[0] if said[0].text != NO_CAPTION else Caption(0, NO_PROMPT), *said[1:])


def _are_pairs(prompt: object) -> bool:
    if isinstance(prompt, (bytes, dict)) or not isinstance(prompt, Sequence):
        return False
    return all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[1], str) for pair in prompt)


def warn_of_unseen(text_tokenizer: TextTokenizer, prompt: str) -> None:
    """Warns of the words of a prompt that were not in the training.

    Warns:
        UnseenWordsWarning: Such words are there; the message names them, and some that were.
    """
    words = [f'"{word}"' if word.isprintable() else ascii(word) for word in text_tokenizer.unseen(prompt)]
    if words:
        message = f"{', '.join(words)}: not in what this model was trained on, so it cannot know what is meant"
        message += _known(text_tokenizer.words or ())
        warnings.warn(message, UnseenWordsWarning, stacklevel=3)


def _known(words: Collection[str]) -> str:
    """Some of the words that a model knows, the longer ones, which say more; nothing if nobody knows them."""
    told = sorted(word for word in words if word.isalpha() and len(word) > _SHORT)
    if not told:
        return ""
    some = told[:: -(-len(told) // _TOLD)]
    count = sum(any(letter.isalnum() for letter in word) for word in words)
    return f"; it knows {count:,} words, such as {', '.join(some)}; `framecast info` shows more"


def warn_of_late(upcoming: Sequence[Caption], length: int) -> None:
    """Warns of prompts that begin behind the end of a clip.

    Args:
        upcoming: Prompts with the latent frames from which they hold.
        length: Latent frames of the clip.

    Warns:
        PromptWarning: There are such prompts; the message names the first.
    """
    late = [caption.text for caption in upcoming if caption.start >= length]
    if late:
        warnings.warn(f'the video ends before the time of "{late[0]}" has come; ask for more frames', PromptWarning, stacklevel=3)
