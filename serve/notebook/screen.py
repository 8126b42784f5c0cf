"""`Screen`: where frames are shown, and what it is told besides."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ...sample import Frame, SamplingParams


@dataclass(frozen=True)
class Status:
    """All that a screen tells besides frames.

    Attributes:
        playing: Whether frames go on.
        ended: Whether the last frame was shown.
        prompts: Each prompt so far, with the first frame for which it holds; that may be still to come.
        notice: What was last done on request, in words.
        error: Why no more frames come, in words; empty if they do.
        take: Counts restarts. Frames and receipts of an earlier take are void.
        seed: The seed of the video.
        params: How its tokens are chosen.
    """

    playing: bool
    ended: bool
    prompts: tuple[tuple[int, str], ...]
    notice: str
    error: str
    take: int
    seed: int
    params: SamplingParams


class Screen(ABC):
    """Where frames are shown."""

    @abstractmethod
    def show(self, frames: Sequence[Frame], take: int) -> None:
        """Takes the frames of a latent frame; may block until it is time for them. They count as shown once it says so."""

    @abstractmethod
    def tell(self, status: Status) -> None:
        """Takes what has changed; called in order, from any thread."""

    @abstractmethod
    def close(self) -> None:
        """Shows nothing from now on."""


class NoScreen(Screen):
    """Nobody looks: frames are made until enough of them wait."""

    def show(self, frames: Sequence[Frame], take: int) -> None:
        pass

    def tell(self, status: Status) -> None:
        pass

    def close(self) -> None:
        pass
