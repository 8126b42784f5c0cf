"""`Stream`: frames as they are made, for as long as one likes, with a prompt that may change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..data import Caption
from ..data.timeline import next_prompt
from .codec import VideoCodec
from .params import SamplingParams, checked_seed
from .prompts import warn_of_unseen
from .seat import Alone, Seat
from .settings import as_params
from .snapshot import Snapshot, pack_snapshot
from .stepper import Stepper
from .steps import Frame, GeneratorState, Step
from .token_file import TokenWriter
from .token_log import TokenLog


class Stream:
    """An endless iterator of frames, each a `Frame`.

    Args:
        stepper: Makes the latent frames.
        state: Where the stream stands.
        tokens: `[T, H, W]` of the latent frames that the state has seen; T may be 0.
        prompts: The prompts that held for them, with the latent frames from which they did.
        pending: Frames that were made and not yet taken.
    """

    def __init__(
        self,
        stepper: Stepper,
        state: GeneratorState,
        tokens: Tensor,
        prompts: Sequence[tuple[int, str]] = (),
        pending: Sequence[Frame] = (),
    ):
        self._log, self._pending = TokenLog(tokens, prompts), list(pending)
        self._writer: TokenWriter | None = None
        self._closed = False
        self.sit(Alone(stepper, state))

    def __repr__(self) -> str:
        stands = "closed" if self._closed else f"next frame {self.next_index:,}"
        return f"Stream({self.prompt!r}, seed {self.seed}, {stands}, {self.codec.fps:g} frames/s)"

    def sit(self, seat: Seat) -> None:
        """Takes a seat, which makes the latent frames from now on."""
        self._seat = seat

    @property
    def seat(self) -> Seat:
        """Where the stream is stepped: alone, or in a batch."""
        return self._seat

    @property
    def codec(self) -> VideoCodec:
        """Its tokens to pixels and back: the size of its frames, their rate, their stride."""
        return self._seat.stepper.codec

    @property
    def state(self) -> GeneratorState:
        """Where the stream stands now, also while it is part of a batch."""
        return self._seat.state()

    @property
    def tokens(self) -> Tensor | None:
        """int64 `[T, H, W]`, all tokens so far, those of given frames included; `None` before the first."""
        return self._log.tokens() if len(self._log) else None

    @property
    def num_latent_frames(self) -> int:
        """Latent frames so far, those of given frames included."""
        return len(self._log)

    @property
    def prompt(self) -> str:
        """The prompt that was set last; if a timeline goes on, the one that has come."""
        return self._seat.own.prompt

    @property
    def prompts(self) -> tuple[tuple[int, str], ...]:
        """All prompts that held so far, with the latent frames from which they did."""
        return self._log.prompts

    @property
    def upcoming(self) -> tuple[Caption, ...]:
        """The prompts of its timeline that are still to come, with the latent frames from which they hold."""
        return self._seat.own.upcoming

    @property
    def seed(self) -> int:
        """The seed of its noise."""
        return self._seat.own.seed

    @property
    def guided(self) -> bool:
        """Whether the null prompt's prediction is made too, at twice the cost of a step."""
        return self._seat.own.guided

    @property
    def params(self) -> SamplingParams:
        """How tokens are chosen; can be set, also by a dict, and then holds from the next latent frame on."""
        return self._seat.own.params

    @params.setter
    def params(self, params: SamplingParams | Mapping[str, Any]) -> None:
        self._seat.stepper.set_params(self._seat.own, as_params(params))

    @property
    def pending(self) -> tuple[Frame, ...]:
        """Frames that were made and not yet taken."""
        return tuple(self._pending)

    @property
    def next_index(self) -> int:
        """The index of the frame that comes next."""
        return self._pending[0].index if self._pending else self.codec.stride.num_frames(len(self._log))

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        while not self._pending and not self._closed:
            self._seat.step(self.accept)
        if self._closed:
            raise StopIteration
        return self._pending.pop(0)

    def take(self) -> list[Frame]:
        """Takes the frames that wait, and makes none."""
        taken, self._pending = self._pending, []
        return taken

    def advance(self) -> Step:
        """Makes one latent frame alone and returns its tokens and frames, past the iterator.

        Raises:
            ValueError: The stream is part of a batch, which makes its latent frames.
        """
        if not isinstance(self._seat, Alone):
            raise ValueError("got a stream of a batch to advance alone; let it leave first, or step the batch")
        step = self._seat.make()
        self._note(step)
        return step

    def set_prompt(self, prompt: str) -> int:
        """Changes the prompt from the next latent frame on; what is left of a timeline is dropped.

        Args:
            prompt: What the video shows now; "it" is the sprite that the prompt before spoke of.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ValueError: The prompt is empty, too long or a timeline; the old one stays.
        """
        stepper, state = self._seat.stepper, self._seat.own
        text = next_prompt(prompt, state.prompt)
        stepper.set_prompt(state, text)
        warn_of_unseen(stepper.text_tokenizer, text)
        state.upcoming = ()
        return self.codec.stride.num_frames(len(self._log))

    def branch(self, seeds: Sequence[int], pending: Sequence[Frame] | None = None) -> list["Stream"]:
        """Other futures of this moment, one for each seed, without making the past again; this stream goes on as it was.

        With its own seed a branch gives what this stream gives.

        Args:
            seeds: Seeds of the noise to come.
            pending: Frames that each branch gives first, those that were taken and not seen for instance; `None` are the
                stream's own.
        """
        if not isinstance(seeds, Iterable) or isinstance(seeds, str | bytes):
            raise ValueError(f"got seeds {seeds!r:.60}; wanted a list of whole numbers, one for each branch, such as [1, 2]")
        stepper, state = self._seat.stepper, self.state
        past = (self._log.tokens(), self._log.prompts, self._pending if pending is None else pending)
        return [Stream(stepper, replace(state.clone(), seed=checked_seed(seed)), *past) for seed in seeds]

    def snapshot(self) -> bytes:
        """All of the stream as bytes; `generator.restore` goes on from them, token for token, in any process."""
        moment = Snapshot(self.state, self._log.tokens(), self._log.prompts, self.pending)
        return pack_snapshot(moment, self._seat.stepper)

    def record(self, file: str | Path) -> None:
        """Writes a token file from now on: what was made so far, and every latent frame to come, until the stream is closed.

        Raises:
            ValueError: The folder of the file does not exist, or the stream is being recorded already.
        """
        if self._writer is not None:
            raise ValueError(f"got {file} to record to; this stream is recorded already; close it first")
        self._writer = TokenWriter(file, self.codec.header(self.seed, self.params))
        self._writer.append_all(self._log.tokens(), self._log.prompts)

    def leave(self) -> None:
        """Leaves the batch that the stream is part of, if it is, and goes on alone."""
        self.sit(self._seat.leave())

    def close(self) -> None:
        """Ends the stream: iterating further stops at once, its place in a batch is free, its token file is whole."""
        self.leave()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._pending, self._closed = [], True

    def accept(self, step: Step) -> list[Frame]:
        """Lets the frames of a step that was just made wait for the iterator; returns them."""
        latent_index = len(self._log)
        first, images = self.codec.stride.num_frames(latent_index), step.frames.cpu()
        self._note(step)
        frames = [Frame(image, first + i, latent_index, self.prompt) for i, image in enumerate(images)]
        self._pending += frames
        return frames

    def _note(self, step: Step) -> None:
        """Remembers the tokens of the latent frame that was just made."""
        self._log.append(step.tokens, self.prompt)
        if self._writer is not None:
            self._writer.append(step.tokens[None], self.prompt)
