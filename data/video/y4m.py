"""YUV4MPEG2: raw frames behind a line of text, which every player reads from a pipe."""

from fractions import Fraction
from typing import IO

import numpy as np

_TO_YUV = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], dtype=np.float32) / 255
_OFFSET = np.array([16, 128, 128], dtype=np.float32)
"""ITU-R BT.601, limited range."""


class Y4MStream:
    """Writes frames as they come, with colour at full size (4:4:4) and no loss but rounding.

    Args:
        file: Open for writing bytes, such as a pipe; not closed here.
        height: Rows of the frames.
        width: Columns of the frames.
        fps: Frames per second.
    """

    def __init__(self, file: IO[bytes], height: int, width: int, fps: float):
        rate = Fraction(fps).limit_denominator(1001)
        self._file = file
        header = f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} Ip A1:1 C444 XCOLORRANGE=LIMITED\n"
        file.write(header.encode())

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, uint8 `[H, W, 3]`."""
        planes = np.rint(image.astype(np.float32) @ _TO_YUV.T + _OFFSET).astype(np.uint8)
        self._file.write(b"FRAME\n" + np.ascontiguousarray(planes.transpose(2, 0, 1)).tobytes())
        self._file.flush()

    def close(self) -> None:
        """Flushes what was written."""
        self._file.flush()
