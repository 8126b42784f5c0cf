"""How the tokens of a latent frame are found: block after block, or all at once until nothing changes.

Each way is one small class behind `Decoding`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..model import ActionVectors, LMState, PromptMemory, VideoLM
from ..model.vocabulary import Pick

ChooserOf = Callable[[slice], Pick]
"""Gives what chooses the tokens of some places of the latent frame; each one is used once."""

_FEW_STREAMS = 2


class GivenUp(Exception):
    """A latent frame was not wanted any more before all its tokens were found.

    Attributes:
        forwards: Forwards of the video LM that it took until then.
    """

    def __init__(self, forwards: int):
        super().__init__(forwards)
        self.forwards = forwards


@dataclass(frozen=True)
class Found:
    """The tokens of a latent frame.

    Attributes:
        tokens: int64 `[R, frame_length]`.
        forwards: Forwards of the video LM that it took.
        last: `[R, E]`, the hidden vectors of the last token under prompt and actions, which tell what came of the actions.
    """

    tokens: Tensor
    forwards: int
    last: Tensor


@dataclass(frozen=True, eq=False)
class NextFrame:
    """The next latent frame of some streams, all of which are before their first one, or none.

    Attributes:
        lm: Predicts.
        state: Where the streams stand; of R rows for each row of their guides. Updated.
        prompts: What conditions them, rows as in `state`.
        previous: int64 `[R, frame_length]`, the latent frames before.
        block_length: Tokens that are chosen without knowing each other; in the first latent frame always 1.
        actions: What is done during the latent frame, rows as in `state`; `None` is unknown.
        unless: Asked between two forwards; once it says yes, the latent frame is given up.
    """

    lm: VideoLM
    state: LMState
    prompts: PromptMemory
    previous: Tensor
    block_length: int
    actions: ActionVectors | None = None
    unless: Callable[[], bool] | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is the first latent frame of its streams."""
        return not self.state.frames.any()

    @property
    def num_streams(self) -> int:
        """R."""
        return self.previous.shape[0]

    def ask(self, forwards: int) -> None:
        """Asks whether to go on after so many forwards.

        Raises:
            GivenUp: The latent frame is not wanted any more. After this and any other error the state is as it was before it.
        """
        if self.unless is None:
            return
        try:
            if self.unless():
                raise GivenUp(forwards)
        except BaseException:
            self.lm.rewind(self.state, 0)
            raise


class Decoding(ABC):
    """A way to find the tokens of a latent frame. The first latent frame of a stream has blocks of one token in every way."""

    @property
    @abstractmethod
    def name(self) -> str | int:
        """What it is called on the command line, in files and on the wire."""

    @abstractmethod
    def block_length(self, frame_shape: tuple[int, int]) -> int:
        """Tokens that are chosen without knowing each other, in latent frames of `frame_shape` after the first."""

    def find(self, frame: NextFrame, chooser: ChooserOf) -> Found:
        """The tokens of the next latent frame. If streams are new and few, Jacobi decoding finds them in fewer forwards."""
        return in_parallel(frame, chooser) if _parallel_pays(frame) else in_order(frame, chooser)


@dataclass(frozen=True)
class ByToken(Decoding):
    """Each token is chosen given all before it."""

    name = "token"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return 1

    def find(self, frame: NextFrame, chooser: ChooserOf) -> Found:
        """Finds the tokens in order, in the first latent frame too."""
        return in_order(frame, chooser)


@dataclass(frozen=True)
class Jacobi(Decoding):
    """What `ByToken` chooses, in far fewer forwards: Jacobi decoding (Song et al. 2021) with fixed noise."""

    name = "jacobi"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return 1

    def find(self, frame: NextFrame, chooser: ChooserOf) -> Found:
        """Finds the tokens in parallel, unless many new streams fill a forward by themselves."""
        return in_parallel(frame, chooser) if _parallel_pays(frame) or not frame.is_first else in_order(frame, chooser)


@dataclass(frozen=True)
class ByRow(Decoding):
    """The tokens of a row are chosen at once."""

    name = "row"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return frame_shape[1]


@dataclass(frozen=True)
class ByFrame(Decoding):
    """All tokens of a latent frame are chosen at once."""

    name = "frame"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return frame_shape[0] * frame_shape[1]


@dataclass(frozen=True)
class ByBlock(Decoding):
    """So many tokens are chosen at once.

    Attributes:
        length: Tokens; some rows, or a part of a row that `check_block_length` takes.
    """

    length: int

    @property
    def name(self) -> int:
        return self.length

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return self.length


NAMED: dict[str | int, Decoding] = {way.name: way for way in (ByToken(), ByRow(), ByFrame(), Jacobi())}
"""The ways that have a name."""


def in_order(frame: NextFrame, chooser: ChooserOf) -> Found:
    """The tokens block after block, one forward for each."""
    length, block_length = frame.lm.frame_length, 1 if frame.is_first else frame.block_length
    tokens = torch.full_like(frame.previous, -1)
    for start in range(0, length, block_length):
        if start:
            frame.ask(start // block_length)
        places = slice(start, start + block_length)
        tokens[:, places], last = _choose(frame, tokens, places, block_length, chooser)
    return Found(tokens, length // block_length, last)


def in_parallel(frame: NextFrame, chooser: ChooserOf) -> Found:
    """The same tokens in fewer forwards: Jacobi decoding (Song et al. 2021) with fixed noise.

    Each token's uniform number is fixed, so that what is found block after block is the one fixed point of "choose all tokens
    again, given those before". The first draft is the latent frame before. Every forward accepts the tokens up to and
    including the first block that changed: they are final, and not computed again.
    """
    length, block_length = frame.lm.frame_length, 1 if frame.is_first else frame.block_length
    tokens, start, forwards = frame.previous.clamp(0, frame.lm.config.codebook_size - 1), 0, 0
    while start < length:
        if forwards:
            frame.ask(forwards)
        frame.lm.rewind(frame.state, start)
        places = slice(start, length)
        chosen, last = _choose(frame, tokens, places, block_length, chooser, hold=True)
        changed = (chosen != tokens[:, places]).any(dim=0).nonzero()
        tokens = torch.cat([tokens[:, :start], chosen], dim=1)
        forwards += 1
        number = (start + int(changed[0])) // block_length if len(changed) else length
        start = (number + 1) * block_length  # the first block that changed was chosen from what is final
    frame.lm.finish(frame.state)
    return Found(tokens, forwards, last)


def _choose(
    frame: NextFrame, tokens: Tensor, places: slice, block_length: int, chooser: ChooserOf, hold: bool = False
) -> tuple[Tensor, Tensor]:
    """The tokens of some places, from those before them, and the hidden vectors `[R, E]` of the last of them."""
    length = frame.lm.frame_length
    known = torch.cat([frame.previous, tokens], dim=1)
    inputs = known[:, length + places.start - block_length : length + places.stop - block_length]
    copies = frame.prompts.keys.shape[0] // frame.num_streams
    inputs = inputs.repeat(copies, 1)
    hidden = frame.lm(inputs, frame.prompts, frame.block_length, frame.state, hold, frame.actions).hidden
    return frame.lm.vocabulary.sample(hidden, chooser(places)), hidden[: frame.num_streams, -1]


def _parallel_pays(frame: NextFrame) -> bool:
    """Whether streams begin, and are few: several fill a forward by themselves."""
    return frame.is_first and frame.num_streams <= _FEW_STREAMS
