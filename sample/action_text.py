"""Actions as a person types them: "left*8 gas+right*20 nothing*4" is an action for 8 frames, another for 20, and so on."""

import re
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..data.actions import ActionError, ActionSpace

_MOST_FRAMES = 2**20
_NOTHING, _UNKNOWN = "nothing", "unknown"
_ITEM = re.compile(r"(?P<names>[^*]+)(\*(?P<count>\d{1,9}))?")


def parse_actions(text: str, space: ActionSpace) -> NDArray[np.float32]:
    """The actions of a text, frame by frame: float32 `[T, A]`.

    Parts are separated by blanks or commas. A part names the buttons that are on, joined by "+", and axes with their position,
    as in "left+steering=0.5". "*8" behind it says for how many frames; without it there is one. "nothing" touches nothing, and
    "unknown" says nothing. A blank within a name is typed as "_". The whole text may be one action, as `ActionSpace.action`
    takes it.

    Raises:
        ActionError: The text is empty, names something that is not there, or is longer than an hour of frames.
    """
    parts = [part for part in re.split(r"[\s,]+", text) if part]
    if not parts:
        _refuse(text, "which names no action", space)
    if text.strip() in space.names:
        return space.action(text.strip())[None]
    rows, total = [], 0
    for part in parts:
        found = _ITEM.fullmatch(part)
        count = int(found["count"] or 1) if found else 0
        if found is None or not count:
            _refuse(part, "in which no action and its number of frames can be read", space)
        total += count
        if total > _MOST_FRAMES:
            raise ActionError(f"got actions for more than {_MOST_FRAMES:,} frames; wanted fewer; the last action holds by itself")
        rows.append(np.repeat(_row(found["names"], space)[None], count, axis=0))
    return np.concatenate(rows)


def _row(names: str, space: ActionSpace) -> NDArray[np.float32]:
    """One action, such as "left+gas=0.5"."""
    if names == _UNKNOWN and _UNKNOWN not in space.names:
        return space.unknown
    if names == _NOTHING and _NOTHING not in space.names:
        return space.nothing
    values: dict[str, float] = {}
    for each in names.split("+"):
        name, equals, number = each.partition("=")
        values[_known(name, space)] = _number(number, names, space) if equals else 1.0
    return space.action(values)


def _known(name: str, space: ActionSpace) -> str:
    """The name as the space has it."""
    return next((own for own in space.names if own.replace(" ", "_") == name), name)


def _number(text: str, part: str, space: ActionSpace) -> float:
    try:
        return float(text)
    except ValueError:
        _refuse(part, "in which a number cannot be read", space)


def _refuse(text: str, why: str, space: ActionSpace) -> NoReturn:
    some = space.names[0].replace(" ", "_")
    raise ActionError(
        f'got the actions "{text:.60}", {why}; wanted parts such as "{some}*8 nothing*4", with names among '
        f"{', '.join(space.names[:12])}"
    )
