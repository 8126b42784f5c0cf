"""`Stream`: frames as they are made, for as long as one likes, with a prompt that may change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .generator import GeneratorState, Step, VideoGenerator


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a stream.

    Attributes:
        image: uint8 `[H, W, 3]`.
        index: Its number in the video, from 0; frames given to continue from are counted.
        latent_index: The latent frame it was decoded from.
        prompt: The prompt that held for it.
    """

    image: Tensor
    index: int
    latent_index: int
    prompt: str


class Stream:
    """An endless iterator of `Frame`s.

    Args:
        generator: Makes the steps.
        state: Where the stream stands.
        tokens: `[T, H, W]` of the given frames that the state has seen, or `None`.
    """

    def __init__(self, generator: "VideoGenerator", state: "GeneratorState", tokens: Tensor | None):
        self._generator, self._state = generator, state
        self._tokens = [] if tokens is None else list(tokens.cpu())
        self._ready: list[Frame] = []
        self._closed = False

    @property
    def tokens(self) -> Tensor | None:
        """int64 `[T, H, W]`, all tokens so far, those of given frames included; `None` before the first."""
        return torch.stack(self._tokens) if self._tokens else None

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        if not self._ready:
            self._ready = self._frames(self.advance())
        return self._ready.pop(0)

    def advance(self) -> "Step":
        """Makes one latent frame and returns its tokens and frames, past the iterator."""
        step = self._generator.step(self._state)
        self._tokens.append(step.tokens.cpu())
        return step

    def set_prompt(self, prompt: str) -> int:
        """Changes the prompt from the next latent frame on; returns the index of its first frame.

        Raises:
            ValueError: The prompt is empty or too long; the old one stays.
        """
        self._state.prompts = self._generator.encode_prompt(prompt, self._state.params)
        self._state.prompt = prompt
        return self._first_frame(self._state.latent_index)

    def close(self) -> None:
        """Ends the stream: iterating further stops at once."""
        self._ready, self._closed = [], True

    def _frames(self, step: "Step") -> list[Frame]:
        latent_index = self._state.latent_index - 1
        first = self._first_frame(latent_index)
        images = step.frames.cpu()
        return [Frame(image, first + i, latent_index, self._state.prompt) for i, image in enumerate(images)]

    def _first_frame(self, latent_index: int) -> int:
        """The first frame of a latent frame: the first latent frame has one, every other `temporal_stride`."""
        return 0 if latent_index == 0 else self._generator.tokenizer.num_frames(latent_index)
