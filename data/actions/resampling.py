"""The steps of a clip out of those of its file, whose frames come at another rate.

Between two frames of the clip lie several frames of the file, one, or none. Their actions become one: an axis has its mean, and a
button what it was most of the time. Of equally long times the latest counts. The buttons of a group count as one thing with
several values, so that they stay exclusive. Rewards add up, and any end is an end.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .space import ActionSpace
from .steps import Steps


def resample(steps: Steps, space: ActionSpace, shown: Sequence[int]) -> Steps:
    """The steps between the frames of a clip.

    Args:
        steps: Those of the file.
        space: What the actions are.
        shown: Which frame of the file each frame of the clip shows, never an earlier one than the frame before.

    Returns:
        A row for each frame of the clip. Row 0 is unknown, since no frame of the clip lies before it. If a frame is shown once
        more, its row has the action that is on its way to the next one, and no reward.
    """
    places = np.asarray(shown, int)
    actions = np.full((len(places), space.size), np.nan, np.float32)
    rewards = None if steps.rewards is None else np.full(len(places), np.nan, np.float32)
    ends = None if steps.ends is None else np.zeros(len(places), bool)
    for row in range(1, len(places)):
        first, last = places[row - 1] + 1, places[row]
        actions[row] = reduce_actions(steps.actions[first : max(last, first) + 1], space)
        if rewards is not None and steps.rewards is not None:
            rewards[row] = steps.rewards[first : last + 1].sum()
        if ends is not None and steps.ends is not None:
            ends[row] = steps.ends[first : last + 1].any()
    return Steps(actions, rewards, ends)


def reduce_actions(rows: NDArray[np.float32], space: ActionSpace) -> NDArray[np.float32]:
    """One action `[A]` for several `[K, A]` in order of time; unknown rows count for nothing.

    A single row stays as it is, to the last bit.
    """
    known = rows[~np.isnan(rows).any(1)]
    if len(known) < 2:
        return known[0] if len(known) else space.unknown
    reduced = known.mean(0, dtype=np.float64).astype(np.float32)
    grouped = {place for group in space.groups for place in group}
    alone = [(place,) for place in range(len(space.buttons)) if place not in grouped]
    for group in [*space.groups, *alone]:
        buttons = known[:, group]
        on = np.where(buttons.any(1), buttons.argmax(1), -1)
        reduced[list(group)] = np.arange(len(group)) == _most(on)
    return reduced


def _most(values: NDArray[np.int_]) -> int:
    """The value that comes most often, and of several the one that came last."""
    counts = {value: int((values == value).sum()) for value in reversed(values.tolist())}
    return max(counts, key=lambda value: counts[value])
