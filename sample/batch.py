"""`StreamBatch`: many streams in one forward. Streams join and leave between latent frames, and none of them notices."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Protocol

import torch
from torch import Tensor

from ..data.kinds import whole
from ..model import LMState, PromptMemory
from ..model.vocabulary import Pick
from .batch_rows import BatchRows
from .decodings import Found, NextFrame
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

    Every stream keeps its own prompt, settings, seed and age, and makes the tokens that it would make alone. Slots without
    a stream are computed too, so that the cost of a step is always the same.

    Args:
        generator: Makes the steps; all streams are its own.
        slots: Streams at most, >= 1.
        guided: Whether streams with guidance can join; without them, a step costs half.

    Attributes:
        forwards: Forwards of the video LM in all steps so far.

    Raises:
        ValueError: There is no slot.
    """

    def __init__(self, generator: HasStepper, slots: int = 8, guided: bool = True):
        slots = whole("slots", slots, -inf, inf, "a whole number of streams, at least 1")
        if slots < 1:
            raise ValueError(f"got {slots} slots; wanted at least 1")
        self.stepper, self.slots, self.guided, self.forwards = generator.stepper, slots, guided, 0
        self._seats: list[Slot | None] = [None] * slots
        self._rows: BatchRows | None = None  # once a stream has come, whose sizes they have

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
    def step(self) -> dict[Stream, list[Frame]]:
        """Makes one latent frame of every stream; its frames wait for the stream's iterator and are returned too."""
        taken, rows = self._taken, self._rows
        if not taken or rows is None:
            return {}
        # 1. A prompt holds from a latent frame on. Whose prompt has changed, by its timeline or from outside, gets its memory.
        for slot, seat in taken.items():
            self.stepper.follow_timeline(seat.own)
            if seat.own.prompts is not seat.prompts:
                seat.prompts = seat.own.prompts
                rows.put_prompts(slot, seat.prompts)
        # 2. All next tokens are found together. Streams that are decoded alike share their forwards.
        found = self._predict(rows, {slot: seat.own for slot, seat in taken.items()})
        self.forwards += found.forwards
        # 3. One pass of the detokenizer turns them into frames.
        grid = found.tokens.unflatten(1, (1, *self.stepper.codec.frame_shape))
        frames = self.stepper.codec.decode_batch(grid, rows.decoder)
        # 4. Each stream gets what is its own, as if it had been alone.
        made = {}
        for slot, seat in taken.items():
            state = seat.own
            state.previous, state.latent_index = found.tokens[slot : slot + 1].clone(), state.latent_index + 1
            made[seat.stream] = seat.stream.accept(Step(grid[slot, 0], frames[slot], found.forwards))
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
        start = StreamBatch(self, len(fresh), self.guided)
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
            self._rows = BatchRows(state, self.slots, self.guided, self.stepper.lm.config.max_prompt_length)
        self._rows.put(slot, state)
        seat = self._seats[slot] = Slot(self, slot, stream)
        stream.sit(seat)

    def _check(self, stream: Stream) -> None:
        if stream.seat.stepper is not self.stepper:
            raise ValueError("got a stream of another generator; wanted one that this batch's generator made")
        if not isinstance(stream.seat, Alone):
            raise ValueError("got a stream that is in a batch already; let it leave there first")
        if stream.guided and not self.guided:
            raise ValueError("got a stream with guidance for a batch without; make it with `StreamBatch(..., guided=True)`")

    def _predict(self, rows: BatchRows, states: Mapping[int, GeneratorState]) -> Found:
        """The tokens of the next latent frame, int64 `[slots, frame_length]`; those of idle slots mean nothing."""
        idle = torch.zeros(1, self.stepper.lm.frame_length, dtype=torch.int64, device=self.stepper.device)
        previous = torch.cat([states[slot].previous if slot in states else idle for slot in range(self.slots)])
        names = {slot: state.params.decoding for slot, state in states.items()}
        if len(set(names.values())) == 1:
            return self._predict_alike(list(range(self.slots)), states, rows.lm, rows.prompts, previous)
        tokens, forwards = torch.zeros_like(previous), 0
        for name in sorted(set(names.values()), key=str):
            slots = [slot for slot in names if names[slot] == name]
            own = rows.of(slots)
            lm = rows.lm.select(own)
            found = self._predict_alike(slots, states, lm, rows.prompts.select(own), previous[slots])
            tokens[slots], forwards = found.tokens, forwards + found.forwards
            rows.lm.put(own, lm)
        return Found(tokens, forwards)

    def _predict_alike(
        self,
        slots: list[int],
        states: Mapping[int, GeneratorState],
        lm: LMState,
        prompts: PromptMemory,
        previous: Tensor,
    ) -> Found:
        """As `_predict`, for some slots that are decoded alike."""
        some = next(states[slot] for slot in slots if slot in states)
        own = [states.get(slot, some) for slot in slots]
        idle = torch.tensor([slot not in states for slot in slots], device=self.stepper.device)[:, None]
        length = self.stepper.lm.frame_length
        noise = torch.stack([stream_uniforms(state.seed, state.latent_index, length) for state in own]).to(self.stepper.device)

        def chooser(places: slice) -> Pick:
            choose = BatchChooser([state.params for state in own], noise[:, places])
            return lambda logits: choose(logits).masked_fill(idle, 0)  # where nobody looks nothing may change, either

        block_length = some.params.block_length(self.stepper.codec.frame_shape)
        return some.params.way.find(NextFrame(self.stepper.lm, lm, prompts, previous, block_length), chooser)


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
