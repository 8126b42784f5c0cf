"""Who plays while an environment is recorded: policies, each a sibling that is called for every frame."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

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


def policy_maker(name: str, space: ActionSpace, on: Mapping[str, float], hold: float = 0.5) -> Callable[[], Policy]:
    """What makes the policy of an episode.

    Args:
        name: "random", "held", or "module:function"; a class is made anew for each episode.
        space: What actions there are.
        on: How likely each button is on, for "random" and "held"; what is not named is drawn evenly.
        hold: How long "held" holds something, in seconds, in the mean.

    Raises:
        ValueError: There is no such policy, or no such button.
    """
    strange = sorted(set(on) - set(space.names[: len(space.buttons)]))
    wrong = [f"{key} {share!r}" for key, share in on.items() if not 0 <= share <= 1]
    if strange or wrong:
        raise ValueError(
            f"got {', '.join(strange or wrong)} as how likely a button is on; wanted a share from 0 to 1 for some of "
            f"{', '.join(space.names[: len(space.buttons)]) or 'no buttons'}"
        )
    if not 0 < hold < 1e6:
        raise ValueError(f"got hold {hold!r}; wanted a number of seconds above 0")
    if name == "random":
        return lambda: Random(on)
    if name == "held":
        return lambda: Held(on, hold)
    return _loaded(name)


def _loaded(name: str) -> Callable[[], Policy]:
    wanted = 'wanted random, held, or "module:function", which is called with frame, previous action, rng and world'
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"got policy {name!r:.80}; {wanted}")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ValueError(f"got policy {name!r:.80}, and there is no module {error.name}; is it on PYTHONPATH?") from error
    except AttributeError as error:
        raise ValueError(f"got policy {name!r:.80}, and {module} has no {attribute}; {wanted}") from error
    if not callable(found):
        raise ValueError(f"got policy {name!r:.80}, which cannot be called; {wanted}")
    return cast(Callable[[], Policy], found) if inspect.isclass(found) else lambda: found
