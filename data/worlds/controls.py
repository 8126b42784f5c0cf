"""`Controls`: buttons for an environment that wants numbers, such as a steering wheel and two pedals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..actions import ActionError, ActionSpace
from .packages import gymnasium
from .spaces import ActionMapping, Row


@dataclass(frozen=True)
class Controls(ActionMapping):
    """Each button adds its numbers to an action of a `Box`, whose ends are kept."""

    pushes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """What a button adds, by its name."""

    def __post_init__(self) -> None:
        box, count = self.gymnasium, int(np.prod(self.gymnasium.shape or ()))
        named = set(self.pushes) == set(self.space.names) and not self.space.axes
        fits = isinstance(box, gymnasium.spaces.Box) and all(len(numbers) == count for numbers in self.pushes.values())
        if not named or not fits:
            raise ActionError(
                f"got controls {dict(self.pushes)!r:.200} for {box}; wanted {count} numbers for each of "
                f"{', '.join(self.space.names)}, which are buttons, and an environment that takes a Box"
            )

    def _to_env(self, row: Row) -> Any:
        box = self.gymnasium
        assert isinstance(box, gymnasium.spaces.Box)
        pushed = row.astype(np.float64) @ np.array([self.pushes[name] for name in self.space.names], np.float64)
        return np.clip(pushed.reshape(box.shape).astype(box.dtype), box.low, box.high)

    def _from_env(self, action: Any) -> Row:
        wanted = np.asarray(action)
        for row in _all_rows(self.space):
            made = self._to_env(row)
            if made.shape == wanted.shape and (made == wanted).all():
                return row
        raise ValueError(wanted)


def _all_rows(space: ActionSpace) -> list[Row]:
    """Every row of the buttons of a space; of those that are equal to an environment, the first has the fewest on."""
    rows = [np.array(row, np.float32) for row in product((0, 1), repeat=space.size)]
    return sorted((row for row in rows if all(row[list(group)].sum() <= 1 for group in space.groups)), key=lambda row: row.sum())
