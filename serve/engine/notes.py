"""What a person should know of what was asked for: words and pictures that the model cannot show, a plain sentence each."""

from torch import Tensor

from ...sample import VideoGenerator
from ...sample.fidelity import fidelity, unfamiliar
from ...sample.prompts import NO_PROMPT, Prompt, timeline_of

MOST_WORDS = 1000
"""A model that knows more words is not asked for a list of them."""

_MOST_NAMED = 5


def known_words(generator: VideoGenerator) -> list[str] | None:
    """The words that the captions of the training had, in order; `None` if nobody knows them, or if they are many."""
    words = generator.text_tokenizer.words
    if words is None or len(words) > MOST_WORDS:
        return None
    return sorted(word for word in words if any(letter.isalnum() for letter in word))  # a comma is none to a person


def opening(generator: VideoGenerator) -> str:
    """A prompt that the model knows, for who plays and says nothing.

    That is the only caption of the training, or that of a start, or else some words of the training.
    """
    told = [text for text in (generator.caption, *(start.prompt for start in generator.starts)) if text]
    return told[0] if told else " ".join((known_words(generator) or ["something"])[:_MOST_NAMED])


def meant(generator: VideoGenerator, prompt: Prompt | None) -> Prompt | None:
    """A prompt as a stream takes it: who says no more than the opening of a model without captions has said nothing."""
    return None if generator.caption == NO_PROMPT and prompt == opening(generator) else prompt


def prompt_notes(generator: VideoGenerator, prompt: Prompt) -> list[str]:
    """A sentence about the words that the model has never seen; none if it has seen them all."""
    texts = [text for _, text in timeline_of(prompt).entries]
    unseen = list(dict.fromkeys(word for text in texts for word in generator.text_tokenizer.unseen(text)))
    return [f"This model does not know {_listed(unseen)}: no description that it has learned from says so."] if unseen else []


def picture_notes(generator: VideoGenerator, frames: Tensor) -> list[str]:
    """A sentence if the model cannot redraw the frames that a video begins with, uint8 `[T, H, W, 3]`."""
    decibels = fidelity(generator.codec, frames)
    if unfamiliar(generator.codec, decibels) is None:
        return []
    return [
        f"This model redraws your picture only roughly ({decibels:.0f} dB; a good likeness has 30): it has learned from pictures "
        "of another kind. A model that is trained on your own videos can do better."
    ]


def _listed(words: list[str]) -> str:
    quoted = [f"“{word}”" for word in words[:_MOST_NAMED]]
    if len(words) > _MOST_NAMED:
        quoted.append(f"{len(words) - _MOST_NAMED} other words")
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
