"""`Steps`: what was done in a video, frame by frame, with the rewards and ends of a recording. Loads without torch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Steps:
    """The actions, rewards and ends of a video, a row for each frame: row t is of the step that made frame t of frame t - 1.

    Nothing made frame 0, so its action and reward are unknown.
    """

    actions: NDArray[np.float32]
    """`[N, A]`; NaN is unknown."""
    rewards: NDArray[np.float32] | None = None
    """`[N]`; NaN is unknown; None if no reward is known."""
    ends: NDArray[np.bool_] | None = None
    """`[N]`: whether the episode was over with this frame; None if that is not known."""

    def __len__(self) -> int:
        return len(self.actions)

    def shifted(self, chosen: bool, delay: int) -> Self:
        """The same by frame, for rows that were written otherwise.

        Args:
            chosen: Whether row t was chosen at frame t, and so made frame t + 1. Rewards and ends of such rows are those that
                followed. Otherwise row t made frame t.
            delay: Frames that pass until an action shows, beyond that; rewards and ends have none.
        """
        return type(self)(
            _later(self.actions, chosen + delay, np.nan),
            None if self.rewards is None else _later(self.rewards, int(chosen), np.nan),
            None if self.ends is None else _later(self.ends, int(chosen), False),
        )


def check_delay(delay: int, clips: Iterable[Steps | None], longest: int) -> None:
    """Refuses a delay that leaves nothing to learn from.

    Args:
        delay: Frames that pass until an action shows.
        clips: The steps of the clips, those of clips without actions being None; asked only if there is a delay.
        longest: Frames of the longest video with actions.

    Raises:
        ValueError: No action of any clip is known.
    """
    if delay and not any(steps is not None and not np.isnan(steps.actions).all() for steps in clips):
        raise ValueError(
            f"got action_delay {delay}, after which no action of any clip is known: the longest video with actions has {longest} "
            "frames; wanted the stored frames that pass until an action shows, which are few, such as 4 at 20 frames/s; lower it"
        )


def _later(rows: NDArray, by: int, unknown: float) -> NDArray:
    """Each row so many places later; what nobody knows, and the row of frame 0, is `unknown`."""
    moved = np.full_like(rows, unknown)
    moved[by:] = rows[: max(len(rows) - by, 0)]
    moved[:1] = unknown
    return moved
