"""How many tokens are chosen at a time: one small class for each way, all behind `Decoding`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from .decoding import ChooserOf, Found, NextFrame

_FEW_STREAMS = 2


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
        return frame.in_parallel(chooser) if _parallel_pays(frame) else frame.in_order(chooser)


@dataclass(frozen=True)
class ByToken(Decoding):
    """Each token is chosen given all before it."""

    name = "token"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return 1

    def find(self, frame: NextFrame, chooser: ChooserOf) -> Found:
        """Finds the tokens in order, in the first latent frame too."""
        return frame.in_order(chooser)


@dataclass(frozen=True)
class Jacobi(Decoding):
    """What `ByToken` chooses, in far fewer forwards: Jacobi decoding (Song et al. 2021) with fixed noise."""

    name = "jacobi"

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        return 1

    def find(self, frame: NextFrame, chooser: ChooserOf) -> Found:
        """Finds the tokens in parallel, unless many new streams fill a forward by themselves."""
        return frame.in_parallel(chooser) if _parallel_pays(frame) or not frame.is_first else frame.in_order(chooser)


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


def _parallel_pays(frame: NextFrame) -> bool:
    """Whether streams begin, and are few: several fill a forward by themselves."""
    return frame.is_first and frame.num_streams <= _FEW_STREAMS
