"""`BatchRows`: what a batch of streams holds together - caches, detokenizer states, memories of prompts - by slot."""

from typing import TypeVar

import torch

from ..model import LMState, PromptMemory
from ..state import State
from ..tokenizer import DecoderState
from .guides import Guides
from .steps import GeneratorState

Rows = TypeVar("Rows", bound=State)


class BatchRows:
    """The states of as many streams as there are slots, each in its own rows.

    Args:
        like: A stream's state, whose sizes the rows get; all slots hold it at first.
        slots: Streams at most.
        guides: The rows of each slot, whether its stream needs them or not.
        max_prompt_length: Text ids that a memory has room for, so that all memories have one shape.

    Attributes:
        lm: The cache of the video LM, of R rows for each row of the guides: the prompts of all slots, then their null prompts.
        prompts: The memories of the prompts, rows as in `lm`.
        decoder: The detokenizer's state, of R rows.
    """

    def __init__(self, like: GeneratorState, slots: int, guides: Guides, max_prompt_length: int):
        self.slots, self.guides, self._max_prompt_length = slots, guides, max_prompt_length
        self.lm: LMState = self._all(like.lm, like.guides).expand(slots)
        self.prompts: PromptMemory = self._all(like.prompts.with_room(max_prompt_length), like.guides).expand(slots)
        self.decoder: DecoderState = like.decoder.expand(slots)

    def of(self, slots: list[int]) -> list[int]:
        """The rows of some slots: of their prompts, then of their guides, kind by kind."""
        return [kind * self.slots + slot for kind in range(self.guides.rows) for slot in slots]

    @torch.inference_mode()
    def put(self, slot: int, state: GeneratorState) -> None:
        """Puts a stream's state into its rows."""
        self.lm.put(self.of([slot]), self._all(state.lm, state.guides))
        self.decoder.put([slot], state.decoder)
        self.put_prompts(slot, state)

    @torch.inference_mode()
    def put_prompts(self, slot: int, state: GeneratorState) -> None:
        """Puts the memory of another prompt into a stream's rows."""
        self.prompts.put(self.of([slot]), self._all(state.prompts.with_room(self._max_prompt_length), state.guides))

    @torch.inference_mode()
    def pull(self, slot: int, state: GeneratorState) -> None:
        """Copies what the rows hold of a stream into its own state."""
        rows = self.of([slot])
        state.lm = self.lm.select([rows[kind] for kind in state.guides.of(self.guides)])
        state.decoder = self.decoder.select([slot])

    def _all(self, own: Rows, guides: Guides) -> Rows:
        """A row for each of the batch's guides; nobody asks for those that the stream has no use for."""
        return own if guides == self.guides else own.select(self.guides.of(guides))
