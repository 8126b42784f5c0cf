"""Who plays while an environment is recorded: policies, each a sibling that is called for every frame."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..actions import ActionSpace
from .spaces import Row

if TYPE_CHECKING:
    from .environments import World

Policy = Callable[[NDArray[np.uint8], Row, Generator, "World"], Any]
"""Called with the frame uint8 `[H, W, 3]`, the action `[A]` before it, a source of random numbers and the world, whose `env` is
the environment; returns what `ActionSpace.action` takes: a row, a mapping, or a text such as "left+gas"."""


class Random:
    """Something else in each frame, whatever was before."""

    def __init__(self, on: Mapping[str, float]):
        self._on = on

    def __call__(self, frame: NDArray[np.uint8], previous: Row, rng: Generator, world: "World") -> Row:
        row = world.action_space.nothing
        for part in parts_of(world.action_space):
            part.draw(row, rng, self._on)
        return row


class Held:
    """Random keys, each held for a while: whether a part of the space changes is drawn anew in each frame.

    Args:
        on: How likely a button is on, by its name.
        seconds: How long something is held, in the mean.
    """

    def __init__(self, on: Mapping[str, float], seconds: float):
        self._on, self._seconds = on, seconds
        self._row: Row | None = None

    def __call__(self, frame: NDArray[np.uint8], previous: Row, rng: Generator, world: "World") -> Row:
        chance = min(1.0, 1 / (self._seconds * world.spec.fps))
        row = world.action_space.nothing if self._row is None else self._row.copy()
        for part in parts_of(world.action_space):
            if self._row is None or rng.random() < chance:
                part.draw(row, rng, self._on)
        self._row = row
        return row


class Part(NamedTuple):
    """What changes together: an axis, a button, or the buttons of which one at most is on."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    is_axis: bool

    def draw(self, row: Row, rng: Generator, on: Mapping[str, float]) -> None:
        """Sets its numbers in a row at random.

        Args:
            row: The action `[A]` to change.
            rng: Source of random numbers.
            on: How likely a button is on; the others of a group share what is left with "none".
        """
        if self.is_axis:
            row[self.places[0]] = rng.uniform(-1, 1)
            return
        given = [on.get(name) for name in self.names]
        left = max(0.0, 1.0 - sum(share for share in given if share is not None))
        even = left / (1 + sum(share is None for share in given))
        shares = np.cumsum([even if share is None else share for share in given])
        row[list(self.places)] = 0
        chosen = int(np.searchsorted(shares, rng.random(), side="right"))
        if chosen < len(self.places):
            row[self.places[chosen]] = 1


def parts_of(space: ActionSpace) -> list[Part]:
    """The parts of a space that change apart from each other, in the order of its rows."""
    grouped = {place: group for group in space.groups for place in group}
    places = dict.fromkeys(grouped.get(place, (place,)) for place in range(space.size))
    return [Part(tuple(space.names[p] for p in part), part, part[0] >= len(space.buttons)) for part in places]
