"""`Choice`: what an action decides, as one of a few classes, so that it can be named from video."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionSpace
from .trying import Rows, known

_LEAST_SHARE = 0.005  # of the rows, for a class that is told from others
_THIRD = 1 / 3

Classes = NDArray[np.int64]
"""int64 `[T]`: a class for each frame; -1 if the action is unknown."""


@dataclass(frozen=True)
class Choice:
    """What an action decides: a button, one button of a group, or the third of its range in which an axis is.

    Attributes:
        name: What is decided.
        labels: Its classes.
        columns: The numbers of an action that decide it.
        bounds: For an axis, where its classes meet; empty for buttons.
    """

    name: str
    labels: tuple[str, ...]
    columns: tuple[int, ...]
    bounds: tuple[float, ...] = ()

    def classes(self, rows: Rows) -> Classes:
        """The class of each action `[T, A]`."""
        values = rows[:, list(self.columns)]
        if self.bounds:
            found = np.searchsorted(self.bounds, values[:, 0], side="right")
        else:
            found = np.where((values > 0.5).any(axis=1), (values > 0.5).argmax(axis=1) + 1, 0)
        return np.where(np.isnan(values).any(axis=1), -1, found).astype(np.int64)


def choices_of(space: ActionSpace, rows: Rows) -> tuple[Choice, ...]:
    """What the actions of a recording decide; what hardly ever changes in it is left out.

    Args:
        space: What the numbers are.
        rows: All actions of the recording, `[T, A]`.
    """
    rows = known(rows)
    grouped = {place for group in space.groups for place in group}
    names = space.names
    found = [
        Choice(" / ".join(names[place] for place in group), ("none", *(names[place] for place in group)), group)
        for group in space.groups
    ]
    found += [Choice(names[place], ("off", "on"), (place,)) for place in range(len(space.buttons)) if place not in grouped]
    found += [
        Choice(names[place], ("low", "middle", "high"), (place,), _bounds(rows[:, place]))
        for place in range(len(space.buttons), space.size)
    ]
    return tuple(choice for choice in found if _differs(choice, rows))


def _bounds(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Where an axis is low, in the middle and high: thirds of what it does, or of its range if it stays in one place for long."""
    if not len(values):
        return (-_THIRD, _THIRD)
    low, high = (float(bound) for bound in np.quantile(values, [_THIRD, 2 * _THIRD]))
    shares = np.bincount(np.searchsorted((low, high), values, side="right"), minlength=3) / len(values)
    return (low, high) if low < high and shares.min() > 0.1 else (-_THIRD, _THIRD)


def _differs(choice: Choice, rows: Rows) -> bool:
    """Whether at least two classes are more than a slip."""
    if not len(rows):
        return False
    shares = np.bincount(choice.classes(rows), minlength=len(choice.labels)) / len(rows)
    return int((shares > _LEAST_SHARE).sum()) > 1


def accuracy(named: Classes, true: Classes) -> float:
    """Share of the known classes that are named rightly; NaN if none is known."""
    there = true >= 0
    return float((named[there] == true[there]).mean()) if there.any() else float("nan")
