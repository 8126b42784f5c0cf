"""`Stream`: frames as they are made, for as long as one likes, with a prompt and an action that may change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..data import Caption
from ..data.actions import ActionSpace
from ..data.timeline import next_prompt
from ..model import Outcome
from .codec import VideoCodec
from .params import SamplingParams, checked_seed
from .past import Past, PastLog, Recipe
from .plan import Actions, Asker, plan_of
from .prompts import warn_of_unseen
from .seat import Alone, Seat
from .settings import as_params
from .snapshot import Snapshot, pack_snapshot
from .stepper import Stepper
from .steps import Frame, GeneratorState, Step, known_rows
from .token_file import TokenWriter
from .token_header import TokenHeader

_HELD = object()
"""Stands for no action, since `None` is one."""


class Stream:
    """An endless iterator of frames, each a `Frame`.

    Args:
        stepper: Makes the latent frames.
        state: Where the stream stands.
        past: The latent frames that the state has seen.
        pending: Frames that were made and not yet taken.
    """

    def __init__(self, stepper: Stepper, state: GeneratorState, past: Past, pending: Sequence[Frame] = ()):
        self._log, self._pending = PastLog(past), list(pending)
        self._writer: TokenWriter | None = None
        self._outcome: Outcome | None = None
        self._asker, self._closed = Asker(), False
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
    def actions(self) -> Tensor | None:
        """float32 `[T, stride, A]`, what was done in all latent frames so far, NaN where unknown; `None` of a model without."""
        return self._log.actions()

    @property
    def past(self) -> Past:
        """All that was made so far, given frames included, and what it was made of."""
        return self._log.past()

    @property
    def action_space(self) -> ActionSpace | None:
        """What can be done; `None` of a model that knows no actions."""
        return self._seat.stepper.action_space

    @property
    def action(self) -> Tensor | None:
        """float32 `[A]`, what is done now, NaN if unknown; `None` of a model without actions."""
        return self._seat.own.action

    @property
    def reward(self) -> float | None:
        """The reward of the latest latent frame as the model predicts it; `None` before the first, and without a head for it."""
        return None if self._outcome is None or self._outcome.reward is None else float(self._outcome.reward)

    @property
    def end(self) -> float | None:
        """How likely the episode ended in the latest latent frame, from 0 to 1; `None` as `reward`."""
        return None if self._outcome is None or self._outcome.end is None else float(self._outcome.end)

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
        self._seat.stepper.set_params(self._seat.own, as_params(params, own=self._seat.stepper.params))

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
            self._make()
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
        self.ask()
        step = self._seat.make()
        self._note(step)
        return step

    def step(self, action: object = _HELD) -> list[Frame]:
        """Makes one latent frame under an action, which holds on; in a batch, all streams of the batch make one.

        Args:
            action: As `act` takes it. If none is given, what holds goes on.

        Returns:
            Its frames, after those that still waited.

        Raises:
            ValueError: The stream is closed, or the action is none; the old one holds then.
        """
        if self._closed:
            raise ValueError("got a closed stream to step; wanted an open one; `branch` before closing, or start another")
        if action is not _HELD:
            self.act(action)
        self._make()
        return self.take()

    def act(self, action: object) -> int:
        """Does an action from the next latent frame on, until another is given; what is left of planned actions is dropped.

        Nothing was done before the first frame of a video, so before it is made an action holds from the second frame on.

        Args:
            action: As `ActionSpace.action` takes it, such as "left+gas", {"steering": 0.5} or a row; `None` is unknown.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ActionError: It is none of the model's action space, or the model knows none; the old one holds.
        """
        self._seat.stepper.act(self._seat.own, action)
        self._asker = Asker()
        return self.codec.stride.num_frames(max(1, len(self._log)))

    def plan(self, actions: Actions) -> None:
        """Does actions from the next latent frame on, in place of all that was planned.

        Args:
            actions: As for `VideoGenerator.stream`; row t of an array is of the t-th frame to come.

        Raises:
            ActionError: There is one that cannot be, or the model knows none; the old ones hold.
        """
        own = self._seat.own
        space = self._seat.stepper.known_space()
        plan = plan_of(space, self.codec.stride, actions, begins=len(self._log) == 0, held=own.action)
        own.plan(plan.held, plan.planned)
        self._asker = Asker(plan.ask)

    def ask(self) -> None:
        """Asks for the action of the next latent frame, if there is something to be asked; called before it is made."""
        if (answer := self._asker.next(self, len(self._log))) is not None:
            self._seat.stepper.act(self._seat.own, *answer)

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

    def branch(
        self, seeds: Sequence[int], pending: Sequence[Frame] | None = None, actions: Actions | None = None
    ) -> list["Stream"]:
        """Other futures of this moment, one for each seed, without making the past again; this stream goes on as it was.

        With its own seed a branch gives what this stream gives. An iterator or a function that this stream asks for its actions
        stays with this stream; in a branch the last action holds.

        Args:
            seeds: Seeds of the noise to come.
            pending: Frames that each branch gives first, those that were taken and not seen for instance; `None` are the
                stream's own.
            actions: What is done in each branch from now on, as for `VideoGenerator.stream`: "what if I had gone left"; `None` is
                what is done or planned here.

        Raises:
            ValueError: The seeds are no list of whole numbers, there is an action that cannot be, or one iterator for several
                branches.
        """
        if not isinstance(seeds, Iterable) or isinstance(seeds, str | bytes):
            raise ValueError(f"got seeds {seeds!r:.60}; wanted a list of whole numbers, one for each branch, such as [1, 2]")
        seeds = [checked_seed(seed) for seed in seeds]
        if isinstance(actions, Iterator) and len(seeds) > 1:
            raise ValueError(
                f"got an iterator of actions for {len(seeds)} branches; wanted a list or an array, which each of them can begin "
                "anew; branch once for each iterator"
            )
        stepper, state = self._seat.stepper, self.state
        past, pending = self.past, self._pending if pending is None else pending
        branches = [Stream(stepper, replace(state.clone(), seed=seed), past, pending) for seed in seeds]
        for branch in branches:
            if actions is not None:
                branch.plan(actions)
        return branches

    def snapshot(self) -> bytes:
        """All of the stream as bytes; `generator.restore` goes on from them, token for token, in any process."""
        return pack_snapshot(Snapshot(self.state, self.past, self.pending), self._seat.stepper)

    def record(self, file: str | Path) -> None:
        """Writes a token file from now on: what was made so far, and every latent frame to come, until the stream is closed.

        Raises:
            ValueError: The folder of the file does not exist, or the stream is being recorded already.
        """
        if self._writer is not None:
            raise ValueError(f"got {file} to record to; this stream is recorded already; close it first")
        self._writer = TokenWriter(file, self.header)
        self._writer.append_past(self.past)

    @property
    def header(self) -> TokenHeader:
        """What a token file of the stream says first."""
        return self._seat.stepper.header(self._seat.own)

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
        actions = [None] * len(images) if step.actions is None else known_rows(step.actions[-len(images) :])
        self._note(step)
        told = zip(images, actions, strict=True)
        frames = [Frame(image, first + i, latent_index, self.prompt, action) for i, (image, action) in enumerate(told)]
        self._pending += frames
        return frames

    def _make(self) -> None:
        """Makes the next latent frame, whose frames then wait."""
        self.ask()
        self._seat.step(self.accept)

    def _note(self, step: Step) -> None:
        """Remembers the latent frame that was just made."""
        recipe = Recipe(self.seed, self.params)
        self._outcome = step.outcome
        self._log.append(step.tokens, self.prompt, recipe, step.actions)
        if self._writer is not None:
            actions = None if step.actions is None else step.actions[None]
            self._writer.append_past(Past(step.tokens[None], ((0, self.prompt),), ((0, recipe),), actions))
