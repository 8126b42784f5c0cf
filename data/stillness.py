"""Whether anything moves: stills that were made into a video are told from cameras that stand still."""

import numpy as np

_MOVES = 12.0
"""Levels, of 255, by which the mean of 2 x 2 pixels must change: noise of compression stays below."""


class Stillness:
    """Looks at the frames of a file, one by one, and says whether anything has moved.

    Each frame is compared with the first one since something moved, so that a slow motion adds up.
    """

    num_frames: int
    """Frames that were seen."""
    num_moving: int
    """How many of them differ from the one before by motion, and not by a cut."""

    def __init__(self) -> None:
        self._first: np.ndarray | None = None
        self.num_frames = self.num_moving = 0

    def moves(self, frame: np.ndarray, is_cut: bool) -> bool:
        """Whether something moves between the frame before and this one.

        Args:
            frame: uint8 `[H, W, 3]`.
            is_cut: Whether it begins a shot.
        """
        self.num_frames += 1
        means = _means(frame)
        if self._first is not None and abs(means - self._first).max() <= _MOVES:
            return False
        moves = self._first is not None and not is_cut
        self._first = means
        self.num_moving += moves
        return moves


def _means(frame: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels at every place."""
    values = np.pad(frame.astype(np.float32), ((0, frame.shape[0] == 1), (0, frame.shape[1] == 1), (0, 0)), mode="edge")
    rows = values[1:] + values[:-1]
    return (rows[:, 1:] + rows[:, :-1]) / 4
