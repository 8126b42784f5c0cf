"""`Stream`: frames as they are made, for as long as one likes, with a prompt that may change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data.timeline import next_prompt
from .params import SamplingParams, checked_seed
from .prompts import warn_of_unseen
from .token_file import TokenWriter

if TYPE_CHECKING:
    from .batch import StreamBatch
    from .generator import VideoGenerator
    from .steps import GeneratorState, Step


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


class TokenLog:
    """The tokens of a stream, one small array that doubles when it is full: 4 bytes a token.

    Args:
        tokens: int `[T, H, W]`, those to begin with; T may be 0.
    """

    def __init__(self, tokens: Tensor):
        self._memory, self._length = tokens.to("cpu", torch.int32), len(tokens)

    @torch.inference_mode()
    def append(self, tokens: Tensor) -> None:
        """Adds a latent frame `[H, W]`."""
        if self._length == len(self._memory):
            self._memory = torch.cat([self._memory, self._memory.new_empty(max(16, self._length), *tokens.shape)])
        self._memory[self._length] = tokens
        self._length += 1

    def __len__(self) -> int:
        return self._length

    def tokens(self) -> Tensor:
        """int64 `[T, H, W]`."""
        return self._memory[: self._length].long()


class Stream:
    """An endless iterator of `Frame`s.

    Args:
        generator: Makes the steps.
        state: Where the stream stands.
        tokens: `[T, H, W]` of the latent frames that the state has seen; T may be 0.
        prompts: The prompts that held for them, with the latent frames from which they did.
        ready: Frames that were made and not yet given out.

    Attributes:
        own_state: As `state`; while it is part of a batch, without what the batch holds for all its streams.
        batch: The batch it is part of.
    """

    def __init__(
        self,
        generator: "VideoGenerator",
        state: "GeneratorState",
        tokens: Tensor,
        prompts: Sequence[tuple[int, str]] = (),
        ready: Sequence[Frame] = (),
    ):
        self.generator, self.log = generator, TokenLog(tokens)
        self.ready, self._prompts = list(ready), list(prompts)
        self.own_state, self._closed = state, False
        self.batch: StreamBatch | None = None
        self._writer: TokenWriter | None = None

    @property
    def state(self) -> "GeneratorState":
        """Where the stream stands now, also while it is part of a batch."""
        if self.batch is not None:
            self.batch.pull(self)
        return self.own_state

    @property
    def tokens(self) -> Tensor | None:
        """int64 `[T, H, W]`, all tokens so far, those of given frames included; `None` before the first."""
        return self.log.tokens() if len(self.log) else None

    @property
    def prompt(self) -> str:
        """The prompt that was set last; where a timeline goes on, the one that has come."""
        return self.own_state.prompt

    @property
    def prompts(self) -> tuple[tuple[int, str], ...]:
        """All prompts that held so far, with the latent frames from which they did."""
        return tuple(self._prompts)

    @property
    def params(self) -> SamplingParams:
        """How tokens are chosen; can be set, and then holds from the next latent frame on."""
        return self.own_state.params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        self.generator.set_params(self.own_state, params)

    @property
    def next_index(self) -> int:
        """The index of the frame that comes next."""
        return self.ready[0].index if self.ready else self.first_frame(self.own_state.latent_index)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        while not self.ready and not self._closed:
            if self.batch is not None:
                self.batch.step()
            else:
                self.accept(self.generator.step(self.state))
        if self._closed:
            raise StopIteration
        return self.ready.pop(0)

    def advance(self) -> "Step":
        """Makes one latent frame alone and returns its tokens and frames, past the iterator.

        Raises:
            ValueError: The stream is part of a batch, which makes its latent frames.
        """
        if self.batch is not None:
            raise ValueError("got a stream of a batch to advance alone; let it leave first, or step the batch")
        step = self.generator.step(self.state)
        self._note(step.tokens)
        return step

    def accept(self, step: "Step") -> list[Frame]:
        """Lets the frames of a step that was just made wait for the iterator; returns them."""
        self._note(step.tokens)
        latent_index = self.own_state.latent_index - 1
        first, images = self.first_frame(latent_index), step.frames.cpu()
        frames = [Frame(image, first + i, latent_index, self.own_state.prompt) for i, image in enumerate(images)]
        self.ready += frames
        return frames

    def set_prompt(self, prompt: str) -> int:
        """Changes the prompt from the next latent frame on; what is left of a timeline is dropped.

        Args:
            prompt: What the video shows now; "it" is the sprite that the prompt before spoke of.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ValueError: The prompt is empty, too long or a timeline; the old one stays.
        """
        text = next_prompt(prompt, self.own_state.prompt)
        self.generator.set_prompt(self.own_state, text)
        warn_of_unseen(self.generator.text_tokenizer, text)
        self.own_state.upcoming = ()
        return self.first_frame(self.own_state.latent_index)

    def first_frame(self, latent_index: int) -> int:
        """The index of the first frame of a latent frame: the first latent frame has one, every other `temporal_stride`."""
        return 0 if latent_index == 0 else self.generator.tokenizer.num_frames(latent_index)

    def branch(self, seeds: Sequence[int]) -> list["Stream"]:
        """Other futures of this moment, one for each seed, without making the past again; this stream goes on as it was.

        With its own seed a branch gives what this stream gives.
        """
        past = (self.log.tokens(), self._prompts, self.ready)
        return [Stream(self.generator, replace(self.state.clone(), seed=checked_seed(seed)), *past) for seed in seeds]

    def snapshot(self) -> bytes:
        """All of the stream as bytes; `generator.restore` goes on from them, token for token, in any process."""
        from .snapshot import snapshot_stream

        return snapshot_stream(self)

    def record(self, file: str | Path) -> None:
        """Writes a token file from now on: what was made so far, and every latent frame to come, until the stream is closed.

        Raises:
            ValueError: The folder of the file does not exist, or the stream is being recorded already.
        """
        if self._writer is not None:
            raise ValueError(f"got {file} to record to; this stream is recorded already; close it first")
        self._writer = TokenWriter(file, self.generator.token_header(self.own_state.seed, self.own_state.params))
        starts = [start for start, _ in self._prompts] + [len(self.log)]
        for (start, text), end in zip(self._prompts, starts[1:], strict=True):
            self._writer.append(self.log.tokens()[start:end], text)

    def close(self) -> None:
        """Ends the stream: iterating further stops at once, its place in a batch is free, its token file is whole."""
        if self.batch is not None:
            self.batch.leave(self)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.ready, self._closed = [], True

    def _note(self, tokens: Tensor) -> None:
        """Remembers the tokens `[H, W]` of the latent frame that was just made."""
        if not self._prompts or self._prompts[-1][1] != self.own_state.prompt:
            self._prompts.append((self.own_state.latent_index - 1, self.own_state.prompt))
        self.log.append(tokens)
        if self._writer is not None:
            self._writer.append(tokens[None], self.own_state.prompt)
