"""`StreamBatch`: many streams in one forward. Streams join and leave between latent frames, and none of them notices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, Self

import torch
from torch import Tensor

from ..data.kinds import whole
from ..model import ActionVectors, LMState, PromptMemory
from ..model.vocabulary import Pick
from .batch_rows import BatchRows
from .decodings import Found, GivenUp, NextFrame
from .guides import Guides
from .sampling import BatchChooser, stream_uniforms
from .seat import Alone, Deliver, Seat
from .stepper import Stepper
from .steps import Frame, GeneratorState, Step
from .stream import Stream


class HasStepper(Protocol):
    """A generator, for instance."""

    @property
    def stepper(self) -> Stepper:
        """Steps its streams."""


class StreamBatch:
    """A fixed number of slots, in each of which a stream can live; one forward makes the next tokens of all.

    Every stream keeps its own prompt, action, settings, seed and age, and makes the tokens that it would make alone. Slots
    without a stream are computed too, so that the cost of a step is always the same.

    Args:
        generator: Makes the steps; all streams are its own.
        slots: Streams at most, >= 1.
        guided: Whether streams with guidance can join; without them, a step costs half.
        action_guided: Whether streams with guidance on actions can join, which costs as much again.

    Attributes:
        forwards: Forwards of the video LM in all steps so far.

    Raises:
        ValueError: There is no slot.
    """

    def __init__(self, generator: HasStepper, slots: int = 8, guided: bool = True, action_guided: bool = False):
        slots = whole("slots", slots, -inf, inf, "a whole number of streams, at least 1")
        if slots < 1:
            raise ValueError(f"got {slots} slots; wanted at least 1")
        self.stepper, self.slots, self.forwards = generator.stepper, slots, 0
        self.guides = Guides(guided, action_guided)
        self._seats: list[Slot | None] = [None] * slots
        self._rows: BatchRows | None = None  # once a stream has come, whose sizes they have

    @classmethod
    def of(cls, generator: HasStepper, streams: Sequence[Stream]) -> Self:
        """A batch of just these streams, which have joined, with the guidance that they need."""
        guides = [stream.seat.own.guides for stream in streams]
        batch = cls(generator, len(streams), any(own.text for own in guides), any(own.action for own in guides))
        batch.join(*streams)
        return batch

    @property
    def streams(self) -> list[Stream]:
        """The streams that are in the batch now, by slot."""
        return [seat.stream for seat in self._taken.values()]

    @property
    def free(self) -> int:
        """Slots without a stream."""
        return self._seats.count(None)

    def join(self, *streams: Stream) -> None:
        """Gives streams a slot each. Streams that have not begun make their first latent frame here, all of them at once.

        Raises:
            ValueError: Too few slots are free, or a stream is another generator's, in a batch already, or guided while the
                batch is not; then none has joined.
        """
        if len(streams) > self.free:
            raise ValueError(
                f"got {len(streams)} more streams than the {self.free} free of {self.slots} slots; wanted a free slot for each; "
                "let others leave first"
            )
        for stream in streams:
            if not isinstance(stream, Stream):
                raise ValueError(f"got {stream!r:.60} to join; wanted streams of a generator, each by itself")
        if len(set(streams)) < len(streams):
            raise ValueError("got a stream twice; wanted each stream once; `branch` it for another one")
        for stream in streams:
            self._check(stream)
        fresh = [stream for stream in streams if stream.num_latent_frames == 0]
        if fresh:
            self._begin(fresh)
        for stream in streams:
            self._place(stream)

    def leave(self, stream: Stream) -> None:
        """Frees the slot of a stream, which can go on alone or in another batch.

        Raises:
            ValueError: The stream is not in this batch.
        """
        if not isinstance(stream, Stream) or stream.seat not in self._seats:
            raise ValueError("got a stream to leave that is not in this batch; wanted one of `batch.streams`")
        stream.leave()

    def abandon(self) -> None:
        """Lets all streams go without what the batch knows of them, as after a step that failed half-way.

        Tokens and prompts of the streams are whole, but the streams cannot go on from where they were.
        """
        for seat in self._taken.values():
            seat.stream.sit(Alone(self.stepper, seat.own))
        self._seats, self._rows = [None] * self.slots, None

    @torch.inference_mode()
    def step(self, unless: Callable[[], bool] | None = None) -> dict[Stream, list[Frame]]:
        """Makes one latent frame of every stream; its frames wait for the stream's iterator and are returned too.

        Args:
            unless: Asked between two forwards. If it says yes nothing is made: all streams are where they were, and what was done
                meanwhile holds from the latent frame on that was given up. Not asked if streams are decoded in several ways.
        """
        for stream in self.streams:
            stream.ask()  # first, since what is asked may raise, or let a stream leave
        taken, rows = self._taken, self._rows
        if not taken or rows is None:
            return {}
        # 1. A prompt holds from a latent frame on. Whose prompt has changed, by its timeline or from outside, gets its memory.
        for slot, seat in taken.items():
            self.stepper.follow_timeline(seat.own)
            if seat.own.prompts is not seat.prompts:
                seat.prompts = seat.own.prompts
                rows.put_prompts(slot, seat.own)
        # 2. All next tokens are found together. Streams that are decoded alike share their forwards.
        due = {slot: seat.own.due_actions(self.stepper.codec.stride.frames) for slot, seat in taken.items()}
        try:
            found = self._predict(rows, {slot: seat.own for slot, seat in taken.items()}, due, unless)
        except GivenUp as given_up:
            self.forwards += given_up.forwards
            return {}
        self.forwards += found.forwards
        # 3. One pass of the detokenizer turns them into frames.
        grid = found.tokens.unflatten(1, (1, *self.stepper.codec.frame_shape))
        frames = self.stepper.codec.decode_batch(grid, rows.decoder)
        # 4. Each stream gets what is its own, as if it had been alone.
        made, outcome = {}, self.stepper.outcome(found)
        for slot, seat in taken.items():
            state = seat.own
            state.advance(found.tokens[slot : slot + 1].clone())
            own = None if outcome is None else outcome.select([slot])
            made[seat.stream] = seat.stream.accept(Step(grid[slot, 0], frames[slot], found.forwards, due[slot], own))
            if self.stepper.is_sink_due(state, frames[slot, -1]):
                rows.pull(slot, state)
                self.stepper.renew_sink(state)
                rows.put(slot, state)
        return made

    def pull(self, slot: int, state: GeneratorState) -> None:
        """Copies what the batch holds of a stream into the stream's own state."""
        assert self._rows is not None, "the stream has a slot"
        self._rows.pull(slot, state)

    def vacate(self, slot: int) -> None:
        """Frees a slot."""
        self._seats[slot] = None

    @property
    def _taken(self) -> "dict[int, Slot]":
        return {slot: seat for slot, seat in enumerate(self._seats) if seat is not None}

    def _begin(self, fresh: Sequence[Stream]) -> None:
        """Makes the first latent frames of streams in a batch of their own: later ones do not fit beside them."""
        start = StreamBatch(self, len(fresh), self.guides.text, self.guides.action)
        for stream in fresh:
            start._place(stream)
        try:
            start.step()
        except BaseException:
            start.abandon()
            raise
        self.forwards += start.forwards
        for stream in fresh:
            stream.leave()

    def _place(self, stream: Stream) -> None:
        state, slot = stream.state, self._seats.index(None)
        if self._rows is None:
            self._rows = BatchRows(state, self.slots, self.guides, self.stepper.lm.config.max_prompt_length)
        self._rows.put(slot, state)
        seat = self._seats[slot] = Slot(self, slot, stream)
        stream.sit(seat)

    def _check(self, stream: Stream) -> None:
        if stream.seat.stepper is not self.stepper:
            raise ValueError("got a stream of another generator; wanted one that this batch's generator made")
        if not isinstance(stream.seat, Alone):
            raise ValueError("got a stream that is in a batch already; let it leave there first")
        guides = stream.seat.own.guides
        if guides.text and not self.guides.text:
            raise ValueError("got a stream with guidance for a batch without; make it with `StreamBatch(..., guided=True)`")
        if guides.action and not self.guides.action:
            raise ValueError(
                "got a stream with guidance on actions for a batch without; make it with `StreamBatch(..., action_guided=True)`"
            )

    def _predict(
        self,
        rows: BatchRows,
        states: Mapping[int, GeneratorState],
        due: Mapping[int, Tensor | None],
        unless: Callable[[], bool] | None,
    ) -> Found:
        """The tokens of the next latent frame, int64 `[slots, frame_length]`; those of idle slots mean nothing."""
        idle = torch.zeros(1, self.stepper.lm.frame_length, dtype=torch.int64, device=self.stepper.device)
        previous = torch.cat([states[slot].previous if slot in states else idle for slot in range(self.slots)])
        actions = self.stepper.encode_actions([due.get(slot) for slot in range(self.slots)], self.guides)
        together = _Together(list(range(self.slots)), rows.lm, rows.prompts, previous, actions)
        names = {slot: state.params.decoding for slot, state in states.items()}
        if len(set(names.values())) == 1:
            return self._predict_alike(together, states, unless)
        tokens, forwards = torch.zeros_like(previous), 0
        last = torch.empty(self.slots, self.stepper.lm.config.width, device=previous.device)
        for name in sorted(set(names.values()), key=str):
            slots = [slot for slot in names if names[slot] == name]
            some = together.select(slots, rows.of(slots))
            found = self._predict_alike(some, states)
            tokens[slots], last[slots], forwards = found.tokens, found.last.to(last.dtype), forwards + found.forwards
            rows.lm.put(rows.of(slots), some.lm)
        return Found(tokens, forwards, last)

    def _predict_alike(
        self, some: "_Together", states: Mapping[int, GeneratorState], unless: Callable[[], bool] | None = None
    ) -> Found:
        """As `_predict`, for some slots that are decoded alike."""
        like = next(states[slot] for slot in some.slots if slot in states)
        own = [states.get(slot, like) for slot in some.slots]
        idle = torch.tensor([slot not in states for slot in some.slots], device=self.stepper.device)[:, None]
        length = self.stepper.lm.frame_length
        noise = torch.stack([stream_uniforms(state.seed, state.latent_index, length) for state in own]).to(self.stepper.device)

        def chooser(places: slice) -> Pick:
            choose = BatchChooser([state.params for state in own], noise[:, places], self.guides)
            return lambda logits: choose(logits).masked_fill(idle, 0)  # where nobody looks nothing may change, either

        block_length = like.params.block_length(self.stepper.codec.frame_shape)
        frame = NextFrame(self.stepper.lm, some.lm, some.prompts, some.previous, block_length, some.actions, unless)
        return like.params.way.find(frame, chooser)


@dataclass(frozen=True, eq=False)
class _Together:
    """What some slots are predicted from: their rows, and the latent frames before."""

    slots: list[int]
    lm: LMState
    prompts: PromptMemory
    previous: Tensor
    actions: ActionVectors | None

    def select(self, slots: list[int], rows: list[int]) -> "_Together":
        """Some of all slots, in copies."""
        actions = None if self.actions is None else self.actions.select(rows)
        return _Together(slots, self.lm.select(rows), self.prompts.select(rows), self.previous[slots], actions)


class Slot(Seat):
    """A stream's place in a batch.

    Args:
        batch: The batch.
        index: Which of its slots.
        stream: Who sits here.

    Attributes:
        prompts: The memory of the prompt as the batch has it, to see whether the stream's is another by now.
    """

    def __init__(self, batch: StreamBatch, index: int, stream: Stream):
        super().__init__(batch.stepper, stream.seat.own)
        self.stream, self.prompts = stream, self.own.prompts
        self._batch, self._index = batch, index

    def state(self) -> GeneratorState:
        self._batch.pull(self._index, self.own)
        return self.own

    def step(self, deliver: Deliver) -> None:
        self._batch.step()  # all streams of the batch take theirs

    def leave(self) -> Alone:
        alone = Alone(self.stepper, self.state())
        self._batch.vacate(self._index)
        return alone
