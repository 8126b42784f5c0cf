"""`StreamBatch`: many streams in one forward. Streams join and leave between latent frames, and none of them notices."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import to_frames
from ..model import LMState, PromptMemory
from ..model.vocabulary import Pick
from ..tokenizer import DecoderState
from .decoding import Found
from .sampling import BatchChooser, stream_uniforms
from .steps import GeneratorState, Step
from .stream import Frame, Stream

if TYPE_CHECKING:
    from .generator import VideoGenerator


class StreamBatch:
    """A fixed number of slots, in each of which a stream can live; one forward makes the next tokens of all.

    Every stream keeps its own prompt, settings, seed and age, and makes the tokens that it would make alone. Slots without
    a stream are computed too, so that the cost of a step is always the same.

    Args:
        generator: Makes the steps; all streams are its own.
        slots: Streams at most, >= 1.
        guided: Whether streams with guidance can join; without, a step costs half.

    Attributes:
        forwards: Forwards of the video LM in all steps so far.

    Raises:
        ValueError: There is no slot.
    """

    def __init__(self, generator: "VideoGenerator", slots: int = 8, guided: bool = True):
        if slots < 1:
            raise ValueError(f"got {slots} slots; wanted at least 1")
        self.generator, self.slots, self.guided, self.forwards = generator, slots, guided, 0
        self._streams: list[Stream | None] = [None] * slots
        self._prompts: list[PromptMemory | None] = [None] * slots  # as they are in `_memory`, to see changes
        self._lm: LMState | None = None
        self._decoder: DecoderState | None = None
        self._memory: PromptMemory | None = None

    @property
    def streams(self) -> list[Stream]:
        """The streams that are in the batch now, by slot."""
        return [stream for stream in self._streams if stream is not None]

    @property
    def free(self) -> int:
        """Slots without a stream."""
        return self._streams.count(None)

    def join(self, *streams: Stream) -> None:
        """Gives streams a slot each. Those that have not begun make their first latent frame here, all of them at once.

        Raises:
            ValueError: Too few slots are free, or a stream is another generator's, in a batch already, or guided where the
                batch is not; then none has joined.
        """
        if len(streams) > self.free:
            raise ValueError(
                f"got {len(streams)} more streams than the {self.free} free of {self.slots} slots; wanted a free slot for each; "
                "let others leave first"
            )
        for stream in streams:
            self._check(stream)
        fresh = [stream for stream in streams if stream.own_state.latent_index == 0]
        if fresh:
            start = StreamBatch(self.generator, len(fresh), self.guided)
            for stream in fresh:
                start._place(stream)
            start.step()
            self.forwards += start.forwards
            for stream in fresh:
                start.leave(stream)
        for stream in streams:
            self._place(stream)

    def leave(self, stream: Stream) -> None:
        """Frees the slot of a stream, which can go on alone or in another batch."""
        self.pull(stream)
        slot = self._streams.index(stream)
        self._streams[slot] = self._prompts[slot] = None
        stream.batch = None

    @torch.inference_mode()
    def pull(self, stream: Stream) -> None:
        """Copies what the batch knows of a stream into the stream's own state."""
        assert self._lm is not None and self._decoder is not None
        slot, state = self._streams.index(stream), stream.own_state
        state.lm = self._lm.select(self._rows([slot])[: state.prompts.keys.shape[0]])
        state.decoder = self._decoder.select([slot])

    @torch.inference_mode()
    def step(self) -> dict[Stream, list[Frame]]:
        """Makes one latent frame of every stream; its frames wait for the stream's iterator and are returned too."""
        states = {slot: stream.own_state for slot, stream in enumerate(self._streams) if stream is not None}
        if not states:
            return {}
        for slot, state in states.items():
            self.generator.follow_timeline(state)
            if state.prompts is not self._prompts[slot]:
                self._put_prompts(slot, state.prompts)
        found = self._predict(states)
        tokens, self.forwards = found.tokens, self.forwards + found.forwards
        assert self._decoder is not None
        grid = tokens.unflatten(1, (1, *self.generator.lm.config.frame_shape))
        frames = to_frames(self.generator.tokenizer.decode(grid, self._decoder))
        made = {}
        for slot, state in states.items():
            stream = self._streams[slot]
            assert stream is not None
            state.previous, state.latent_index = tokens[slot : slot + 1].clone(), state.latent_index + 1
            made[stream] = stream.accept(Step(grid[slot, 0], frames[slot], found.forwards))
            self.generator.keep_picture(state, frames[slot, -1])
            if self.generator.is_anchor_due(state):
                self.pull(stream)
                self.generator.reanchor(state)
                self._put(slot, state)
        return made

    def _predict(self, states: Mapping[int, GeneratorState]) -> Found:
        """The tokens of the next latent frame, int64 `[slots, frame_length]`; those of idle slots mean nothing."""
        assert self._lm is not None and self._memory is not None
        idle = torch.zeros(1, self.generator.lm.frame_length, dtype=torch.int64, device=self.generator.device)
        previous = torch.cat([states[slot].previous if slot in states else idle for slot in range(self.slots)])
        kinds = {slot: state.params.decoding for slot, state in states.items()}
        if len(set(kinds.values())) == 1:
            return self._predict_slots(list(range(self.slots)), states, self._lm, self._memory, previous)
        tokens, forwards = torch.zeros_like(previous), 0
        for kind in sorted(set(kinds.values()), key=str):
            slots = [slot for slot in kinds if kinds[slot] == kind]
            rows = self._rows(slots)
            lm = self._lm.select(rows)
            found = self._predict_slots(slots, states, lm, self._memory.select(rows), previous[slots])
            tokens[slots], forwards = found.tokens, forwards + found.forwards
            self._lm.put(rows, lm)
        return Found(tokens, forwards)

    def _predict_slots(
        self,
        slots: list[int],
        states: Mapping[int, GeneratorState],
        lm: LMState,
        memory: PromptMemory,
        previous: Tensor,
    ) -> Found:
        """As `_predict`, for some slots that are decoded alike."""
        some = next(states[slot] for slot in slots if slot in states)
        own = [states.get(slot, some) for slot in slots]
        idle = torch.tensor([slot not in states for slot in slots], device=self.generator.device)[:, None]
        frame = self.generator.lm.frame_length
        noise = torch.stack([stream_uniforms(state.seed, state.latent_index, frame) for state in own]).to(self.generator.device)

        def chooser(places: slice) -> Pick:
            choose = BatchChooser([state.params for state in own], noise[:, places])
            return lambda logits: choose(logits).masked_fill(idle, 0)  # where nobody looks nothing may change, either

        return self.generator.find_tokens(lm, memory, previous, some.params, chooser)

    def _rows(self, slots: list[int]) -> list[int]:
        """Rows of the video LM's batch: the prompts of all slots, then where guided their null prompts."""
        return slots + [self.slots + slot for slot in slots] if self.guided else slots

    @torch.inference_mode()
    def _put(self, slot: int, state: GeneratorState) -> None:
        lm = state.lm
        if self.guided and not state.guided:
            lm = lm.expand(2)  # a null prompt that is never asked
        if self._lm is None or self._decoder is None:
            self._lm, self._decoder = lm.expand(self.slots), state.decoder.expand(self.slots)
        self._lm.put(self._rows([slot]), lm)
        self._decoder.put([slot], state.decoder)
        self._put_prompts(slot, state.prompts)

    @torch.inference_mode()
    def _put_prompts(self, slot: int, prompts: PromptMemory) -> None:
        self._prompts[slot] = prompts
        padded = _pad(prompts, self.generator.lm.config.max_prompt_length)
        if self.guided and padded.keys.shape[0] == 1:
            padded = padded.expand(2)
        if self._memory is None:
            self._memory = padded.expand(self.slots)
        self._memory.put(self._rows([slot]), padded)

    def _place(self, stream: Stream) -> None:
        slot = self._streams.index(None)
        self._put(slot, stream.own_state)
        self._streams[slot] = stream
        stream.batch = self

    def _check(self, stream: Stream) -> None:
        if stream.generator is not self.generator:
            raise ValueError("got a stream of another generator; wanted one that this batch's generator made")
        if stream.batch is not None:
            raise ValueError("got a stream that is in a batch already; let it leave there first")
        if stream.own_state.guided and not self.guided:
            raise ValueError("got a stream with guidance for a batch without; make it with `StreamBatch(..., guided=True)`")


def _pad(prompts: PromptMemory, length: int) -> PromptMemory:
    """The same with room for `length` text ids, so that all prompts have one shape."""
    missing = length - prompts.mask.shape[-1]
    keys, values = (F.pad(x, (0, 0, 0, missing)) for x in (prompts.keys, prompts.values))
    return PromptMemory(keys, values, F.pad(prompts.mask, (0, missing)))
