"""`Seat`: where a stream is stepped - alone, or in a batch - and what knows how far it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from .stepper import Stepper
from .steps import Frame, GeneratorState, Step

Deliver = Callable[[Step], list[Frame]]
"""Takes a latent frame that was made, and gives its frames."""


def _nobody(step: Step) -> list[Frame]:
    raise AssertionError("a seat made a latent frame before a stream sat down")


@dataclass(eq=False)
class Seat(ABC):
    """A stream's place.

    Attributes:
        stepper: Steps the stream.
        own: The stream's state without what others hold for it.
        deliver: Takes each latent frame; the stream's own, once it has sat down.
    """

    stepper: Stepper
    own: GeneratorState
    deliver: Deliver = field(default=_nobody, repr=False)

    @abstractmethod
    def state(self) -> GeneratorState:
        """Where the stream stands now, all of it."""

    @abstractmethod
    def step(self) -> None:
        """Makes the next latent frame and delivers it."""

    @abstractmethod
    def leave(self) -> "Alone":
        """Gives the seat up; returns one where the stream goes on alone."""


class Alone(Seat):
    """A seat for one."""

    def state(self) -> GeneratorState:
        return self.own

    def step(self) -> None:
        self.deliver(self.make())

    def make(self) -> Step:
        """Makes the next latent frame, and delivers nothing."""
        return self.stepper.step(self.own)

    def leave(self) -> "Alone":
        return self
