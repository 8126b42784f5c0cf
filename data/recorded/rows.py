"""Numbers as they were written to rows of an action space."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..actions import ActionError, ActionSpace
from .tables import Numbers

_SLACK = 0.05
"""How far beyond the ends of its axis a number may lie, in halves of the axis: sensors read a little too far."""
_MOST_NAMED = 5


def rows_of_space(actions: Numbers, names: Sequence[str] | None, space: ActionSpace, own_units: bool) -> NDArray[np.float32]:
    """Numbers `[N, C]` as actions `[N, A]` of a space.

    Args:
        actions: The numbers; NaN is unknown.
        names: What the columns are; None takes them in the order of the space.
        space: What the actions are.
        own_units: Whether axes count in the unit of the recording, from `low` to `high`; otherwise from -1 to 1.

    Raises:
        ActionError: Names are unknown or lack, a row is known in part, or a number is out of range.
    """
    rows = _in_order(actions, names, space)
    if own_units:
        rows = _mapped(rows, space)
    return space.check(rows.astype(np.float32), "actions")


def in_own_units(rows: NDArray[np.float32], space: ActionSpace) -> NDArray[np.float32]:
    """Actions `[N, A]` with the axes in the unit of the recording; undone by `rows_of_space`."""
    values = rows.astype(np.float64)
    for place, axis in enumerate(space.axes, start=len(space.buttons)):
        values[:, place] = (axis.low + axis.high) / 2 + values[:, place] * ((axis.high - axis.low) / 2)
    return values.astype(np.float32)


def _in_order(actions: Numbers, names: Sequence[str] | None, space: ActionSpace) -> Numbers:
    if names is None:
        if actions.shape[1] != space.size:
            raise ActionError(f"got {actions.shape[1]} numbers a frame; wanted {space.size}, one each for {_some(space.names)}")
        return actions
    if len(names) != actions.shape[1]:
        raise ActionError(f"got {actions.shape[1]} numbers a frame; wanted {len(names)}, one each for {_some(names)}")
    strange, missing = ([n for n in a if n not in b] for a, b in ((names, space.names), (space.names, names)))
    if strange or missing or len(set(names)) < len(names):
        got = f"{_some(strange)}, which the space has not" if strange else f"no {_some(missing)}" if missing else "a name twice"
        raise ActionError(f"got actions with {got}; wanted {_some(space.names)}; name these files apart by `include`")
    return actions[:, [list(names).index(name) for name in space.names]]


def _mapped(rows: Numbers, space: ActionSpace) -> Numbers:
    """The axes from their own unit to [-1, 1]."""
    mapped = rows.copy()
    for place, axis in enumerate(space.axes, start=len(space.buttons)):
        values = (rows[:, place] - (axis.low + axis.high) / 2) / ((axis.high - axis.low) / 2)
        far = np.flatnonzero(np.abs(values) > 1 + _SLACK)
        if len(far):
            raise ActionError(
                f"got actions with {axis.name} {rows[far[0], place]:g} in row {far[0]}; wanted {axis.low:g} to {axis.high:g}; "
                'widen `low` and `high` of the axis, or state `"units": "space"` if these numbers go from -1 to 1'
            )
        mapped[:, place] = np.clip(values, -1, 1)
    return mapped


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
