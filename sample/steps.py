"""Where a stream stands, and what a step makes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Caption
from ..model import LMState, Outcome, PromptMemory
from ..state import State
from ..tokenizer import DecoderState
from .anchor import Anchor
from .guides import NO_GUIDES, Guides
from .params import SamplingParams


@dataclass
class GeneratorState(State):
    """Where a stream stands; the caller's.

    Attributes:
        lm: The video LM's cache, of a row for each of `guides`.
        decoder: The detokenizer's state.
        previous: int64 `[1, frame_length]`, tokens of the last latent frame; before the first one -1 and the start.
        prompts: The memory of the prompt, rows as in `lm`.
        prompt: The prompt that holds for the latest latent frame; before there is one, for the first.
        upcoming: Prompts still to come, with the latent frames from which they hold, in order.
        latent_index: The next latent frame.
        seed: Seed of the stream's noise.
        params: How tokens are chosen.
        anchor: What it takes to renew the sink; `None` if the sink stays what it was.
        guides: What the rows of `lm` and `prompts` are.
        action: float32 `[A]`, what is done now, and from now on once nothing is planned; NaN is unknown. `None` if the video LM
            knows no actions.
        planned: float32 `[n, stride, A]`, what is done during the next n latent frames but the first of all; `None` as `action`.
    """

    lm: LMState
    decoder: DecoderState
    previous: Tensor
    prompts: PromptMemory
    prompt: str
    upcoming: tuple[Caption, ...]
    latent_index: int
    seed: int
    params: SamplingParams
    anchor: Anchor | None = None
    guides: Guides = NO_GUIDES
    action: Tensor | None = None
    planned: Tensor | None = None

    @property
    def guided(self) -> bool:
        """Whether the null prompt's prediction is made too."""
        return self.guides.text

    def due_actions(self, num_frames: int) -> Tensor | None:
        """What is done during the next latent frame, of `num_frames` frames: float32 `[num_frames, A]`; `None` as `action`.

        Nothing was done before the first frame of a video: its actions are unknown, whatever is planned.
        """
        if self.action is None or self.planned is None:
            return None
        if self.latent_index == 0:
            return self.action.new_full((num_frames, len(self.action)), torch.nan)
        return self.planned[0] if len(self.planned) else self.action.expand(num_frames, -1)

    def advance(self, tokens: Tensor) -> None:
        """Notes the latent frame that was made last, int64 `[1, frame_length]`, and that its actions were done."""
        if self.planned is not None and len(self.planned) and self.latent_index:
            self.action, self.planned = self.planned[0, -1], self.planned[1:]
        self.previous, self.latent_index = tokens, self.latent_index + 1

    def plan(self, action: Tensor, planned: Tensor) -> None:
        """Lets other actions be done from the next latent frame on: those that are planned, and then `action` for ever."""
        self.action, self.planned = action, planned


@dataclass(frozen=True)
class Step:
    """One latent frame.

    Attributes:
        tokens: int64 `[H, W]`.
        frames: uint8 `[T, H, W, 3]`, what they decode to.
        forwards: Forwards of the video LM that they took.
        actions: float32 `[T, A]`, what was done during each frame, T = stride; NaN is unknown, `None` of a model without actions.
        outcome: What came of them, in a row, if the model tells.
    """

    tokens: Tensor
    frames: Tensor
    forwards: int
    actions: Tensor | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """One frame of a stream.

    Attributes:
        image: uint8 `[H, W, 3]`.
        index: Its number in the video, from 0; frames given to continue from are counted.
        latent_index: The latent frame it was decoded from.
        prompt: The prompt that held for it.
        action: float32 `[A]`, what was done between the frame before and this one; `None` if that is unknown.
    """

    image: Tensor
    index: int
    latent_index: int
    prompt: str
    action: Tensor | None = None

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"Frame({self.index}, {height}x{width}, latent frame {self.latent_index}, {self.prompt!r})"


def known_rows(actions: Tensor) -> list[Tensor | None]:
    """Actions `[T, A]` one by one, `None` for those that are unknown."""
    return [None if row.isnan().any() else row for row in actions]
