"""`Seat`: where a stream is stepped - alone, or in a batch - and what knows how far it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from .stepper import Stepper
from .steps import Frame, GeneratorState, Step

Deliver = Callable[[Step], list[Frame]]
"""Takes a latent frame that was made, and gives its frames."""


@dataclass(eq=False)
class Seat(ABC):
    """A stream's place.

    Attributes:
        stepper: Steps the stream.
        own: The stream's state without what others hold for it.
    """

    stepper: Stepper
    own: GeneratorState

    @abstractmethod
    def state(self) -> GeneratorState:
        """Where the stream stands now, all of it."""

    @abstractmethod
    def step(self, deliver: Deliver) -> None:
        """Makes the next latent frame of the stream, whose `deliver` takes it. Nothing keeps `deliver`: it holds the stream."""

    @abstractmethod
    def leave(self) -> "Alone":
        """Gives the seat up; returns one where the stream goes on alone."""


class Alone(Seat):
    """A seat for one."""

    def state(self) -> GeneratorState:
        return self.own

    def step(self, deliver: Deliver) -> None:
        deliver(self.make())

    def make(self) -> Step:
        """Makes the next latent frame, and delivers nothing."""
        return self.stepper.step(self.own)

    def leave(self) -> "Alone":
        return self
