"""`BatchRows`: what a batch of streams holds together - caches, detokenizer states, memories of prompts - by slot."""

from typing import TypeVar

import torch

from ..model import LMState, PromptMemory
from ..state import State, tensors_of
from ..tokenizer import DecoderState
from .steps import GeneratorState

Rows = TypeVar("Rows", bound=State)


class BatchRows:
    """The states of as many streams as there are slots, each in its own rows.

    Args:
        like: A stream's state, whose sizes the rows get; all slots hold it at first.
        slots: Streams at most.
        guided: Whether each slot has a second row, for the null prompt.
        max_prompt_length: Text ids that a memory has room for, so that all memories have one shape.

    Attributes:
        lm: The cache of the video LM, of R rows, or 2 R if guided: the prompts of all slots, then their null prompts.
        prompts: The memories of the prompts, rows as in `lm`.
        decoder: The detokenizer's state, of R rows.
    """

    def __init__(self, like: GeneratorState, slots: int, guided: bool, max_prompt_length: int):
        self.slots, self.guided, self._max_prompt_length = slots, guided, max_prompt_length
        self.lm: LMState = self._both(like.lm).expand(slots)
        self.prompts: PromptMemory = self._both(like.prompts.with_room(max_prompt_length)).expand(slots)
        self.decoder: DecoderState = like.decoder.expand(slots)

    def of(self, slots: list[int]) -> list[int]:
        """The rows of some slots: of their prompts, then if guided of their null prompts."""
        return slots + [self.slots + slot for slot in slots] if self.guided else slots

    @torch.inference_mode()
    def put(self, slot: int, state: GeneratorState) -> None:
        """Puts a stream's state into its rows."""
        self.lm.put(self.of([slot]), self._both(state.lm))
        self.decoder.put([slot], state.decoder)
        self.put_prompts(slot, state.prompts)

    @torch.inference_mode()
    def put_prompts(self, slot: int, prompts: PromptMemory) -> None:
        """Puts the memory of another prompt into a stream's rows."""
        self.prompts.put(self.of([slot]), self._both(prompts.with_room(self._max_prompt_length)))

    @torch.inference_mode()
    def pull(self, slot: int, state: GeneratorState) -> None:
        """Copies what the rows hold of a stream into its own state."""
        state.lm = self.lm.select(self.of([slot])[: state.prompts.keys.shape[0]])
        state.decoder = self.decoder.select([slot])

    def _both(self, one: Rows) -> Rows:
        """The rows with those of the null prompt, which nobody asks if the stream is without guidance."""
        return one.expand(2) if self.guided and _num_rows(one) == 1 else one


def _num_rows(state: State) -> int:
    return tensors_of(state)[0].shape[0]
