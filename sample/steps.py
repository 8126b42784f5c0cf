"""Where a stream stands, and what a step makes."""

from dataclasses import dataclass

from torch import Tensor

from ..data import Caption
from ..model import LMState, PromptMemory
from ..state import State
from ..tokenizer import DecoderState
from .anchor import Anchor
from .params import SamplingParams


@dataclass
class GeneratorState(State):
    """Where a stream stands; the caller's.

    Attributes:
        lm: The video LM's cache, of one row, or two if guided.
        decoder: The detokenizer's state.
        previous: int64 `[1, frame_length]`, tokens of the last latent frame; before the first one -1 and the start.
        prompts: The memory of the prompt, rows as in `lm`.
        prompt: The prompt that holds for the latest latent frame; before there is one, for the first.
        upcoming: Prompts still to come, with the latent frames from which they hold, in order.
        latent_index: The next latent frame.
        seed: Seed of the stream's noise.
        params: How tokens are chosen.
        anchor: What it takes to renew the sink; `None` if the sink stays what it was.
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

    @property
    def guided(self) -> bool:
        """Whether the null prompt's prediction is made too."""
        return self.prompts.keys.shape[0] == 2 * self.previous.shape[0]


@dataclass(frozen=True)
class Step:
    """One latent frame.

    Attributes:
        tokens: int64 `[H, W]`.
        frames: uint8 `[T, H, W, 3]`, what they decode to.
        forwards: Forwards of the video LM that they took.
    """

    tokens: Tensor
    frames: Tensor
    forwards: int


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"Frame({self.index}, {height}x{width}, latent frame {self.latent_index}, {self.prompt!r})"
