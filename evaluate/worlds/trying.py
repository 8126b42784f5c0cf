"""Actions to try in a world: random ones, a key that is pressed, two keys that undo each other."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionSpace

Rows = NDArray[np.float32]
"""float32 `[T, A]`: the actions of T frames."""
_MOST_DIFFERENT = 64
_MOST_KEYS = 8
_OPPOSITES = (("left", "right"), ("up", "down"), ("forward", "backward"), ("forward", "back"))


@dataclass(frozen=True)
class Key:
    """One number of an action at one value: a button that is on, or an axis at one of its ends.

    Attributes:
        name: What a person calls it, such as "left" or "steering to 1".
        column: Which number of an action it is.
        pressed: The number while it is held.
        released: The number while nobody touches it.
        excluded: Other numbers that are 0 while it is held, since at most one button of a group is on.
    """

    name: str
    column: int
    pressed: float
    released: float
    excluded: tuple[int, ...] = ()

    def press(self, rows: Rows) -> Rows:
        """The same actions with this key held all the time."""
        held = rows.copy()
        held[:, list(self.excluded)] = 0
        held[:, self.column] = self.pressed
        return held

    def release(self, rows: Rows) -> Rows:
        """The same actions without this key."""
        free = rows.copy()
        free[:, self.column] = self.released
        return free


def keys_of(space: ActionSpace) -> tuple[Key, ...]:
    """Every key of a world: its buttons, and both ends of its axes but for one at which an axis rests."""
    groups = {place: group for group in space.groups for place in group}
    keys = [
        Key(button.name, place, 1.0, 0.0, tuple(other for other in groups.get(place, ()) if other != place))
        for place, button in enumerate(space.buttons)
    ]
    for place, axis in enumerate(space.axes, len(space.buttons)):
        keys += [Key(f"{axis.name} to {end:g}", place, end, axis.rest) for end in (-1.0, 1.0) if end != axis.rest]
    return tuple(keys)


def busiest_keys(space: ActionSpace, rows: Rows) -> tuple[Key, ...]:
    """The keys whose numbers change most in a recording, at most eight; none that never changes."""
    spread = np.nanstd(known(rows), axis=0) if len(known(rows)) else np.zeros(space.size)
    moved = [key for key in keys_of(space) if spread[key.column] > 0]
    chosen = sorted(moved, key=lambda key: -spread[key.column])[:_MOST_KEYS]
    return tuple(key for key in moved if key in chosen)


def opposites(space: ActionSpace) -> tuple[tuple[Key, Key], ...]:
    """Pairs of keys of which one undoes the other, by their names, such as "turn_left" and "turn_right"; ends of one axis too."""
    keys = keys_of(space)
    names = {key.name.lower(): key for key in keys[: len(space.buttons)]}
    pairs = []
    for word, other in _OPPOSITES:
        pairs += [
            (key, names[turned]) for name, key in names.items() if (turned := name.replace(word, other)) in names and word in name
        ]
    axes = keys[len(space.buttons) :]
    pairs += [(low, high) for low, high in pairwise(axes) if low.column == high.column]
    return tuple(dict.fromkeys(pairs))


def random_actions(rows: Rows, length: int, hold: int, seed: int) -> Rows:
    """Random actions of a recording, each held for a while.

    Args:
        rows: All actions of the recording. If at most 64 of them differ, each of those is as likely; otherwise each row.
        length: Frames.
        hold: Frames for which an action is held.
        seed: The same seed gives the same actions.

    Returns:
        float32 `[length, A]`.
    """
    pool = known(rows)
    different = np.unique(pool, axis=0)
    pool = different if len(different) <= _MOST_DIFFERENT else pool
    picks = np.random.default_rng(seed).integers(len(pool), size=ceil(length / hold))
    chosen: Rows = pool[np.repeat(picks, hold)[:length]]
    return chosen


def known(rows: Rows) -> Rows:
    """The actions of which something is known."""
    kept: Rows = rows[~np.isnan(rows).any(axis=1)]
    return kept
