"""The action space of recordings that state none: their own names, over the range of their own numbers."""

from collections.abc import Sequence

import numpy as np

from ..actions import ActionSpace, Axis, Button
from .tables import Numbers

_TWO_SIDED = 0.2
"""An axis whose shorter side is at least this share of its longer one has 0 in its middle."""
_KEYS = {"steer": ("ArrowLeft", "ArrowRight"), "throttle": ("ArrowDown", "ArrowUp")}
_STEERING = ("steer", "turn", "yaw")  # which have 0 in the middle, whatever way was driven


def space_of_numbers(names: Sequence[str], rows: Numbers) -> ActionSpace:
    """The space of numbers `[N, A]` by name.

    What is 0 now and 1 then, and nothing else, is a button. Anything else is an axis from its least number to its largest. If its
    numbers lie on both sides of 0, or it steers, it goes as far to either side, so that 0 stays 0.

    Raises:
        ActionError: The names are those of no space.
    """
    columns = {name: rows[:, place][~np.isnan(rows[:, place])] for place, name in enumerate(names)}
    buttons = tuple(Button(name) for name, values in columns.items() if set(np.unique(values).tolist()) == {0.0, 1.0})
    pressed = {button.name for button in buttons}
    if len(columns) < len(names):
        columns = {}  # two columns of one name, which the space refuses below
    axes = tuple(_axis(name, columns.get(name, rows[:0, 0])) for name in names if name not in pressed)
    return ActionSpace(buttons, axes)


def _axis(name: str, values: Numbers) -> Axis:
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
    longest = max(abs(low), abs(high))
    both_sides = low < 0 < high and min(-low, high) >= _TWO_SIDED * longest
    if both_sides or (longest and any(word in name.lower() for word in _STEERING)):
        low, high = -longest, longest
    elif low == high:
        low, high = low - (longest or 1.0), high + (longest or 1.0)
    middle, half = (low + high) / 2, (high - low) / 2
    rest = 0.0 - middle / half if low <= 0 <= high else 0.0
    keys = next((keys for word, keys in _KEYS.items() if word in name.lower()), None)
    return Axis(name, keys, low, high, rest)
