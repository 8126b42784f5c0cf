"""Turning and mirroring frames as a file's display matrix says."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a frame: first rows and columns swap, then either is mirrored."""

    transposed: bool = False
    """Rows become columns."""
    flipped: bool = False
    """The first row, after the swap, becomes the last one."""
    mirrored: bool = False
    """The first column, after the swap, becomes the last one."""

    @classmethod
    def of_matrix(cls, matrix: bytes) -> "Orientation":
        """The nearest way to a display matrix: nine int32, of which (a, b) and (c, d) say where columns and rows go."""
        a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].astype(np.int64).tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, flipped=d < 0, mirrored=a < 0)
        return cls(True, flipped=b < 0, mirrored=c < 0)

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """The picture `[H, W, C]` as it is to be shown."""
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns as shown, from those that are stored, and the other way round."""
        return (width, height) if self.transposed else (height, width)
