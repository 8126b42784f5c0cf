"""Decoded frames to pictures: upright, of one size, in standard RGB."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc, Interpolation, VideoReformatter

from .errors import DECODE_ERRORS, VideoError, reason_of
from .orientation import Orientation
from .tone import hlg_to_standard, pq_to_standard, wide_to_standard

SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
STANDARD_RANGE: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    ColorTrc.SMPTE2084: pq_to_standard,
    ColorTrc.ARIB_STD_B67: hlg_to_standard,
}


def shown_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Rows and columns of a frame as shown."""
    return orientation_of(frame).shape(frame.height, frame.width)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """How the file wants a frame to be laid."""
    kinds = frame.side_data
    return Orientation.of_matrix(bytes(kinds[Type.DISPLAYMATRIX])) if Type.DISPLAYMATRIX in kinds else Orientation()  # type: ignore[typeddict-item]


class PictureMaker:
    """Makes pictures uint8 `[height, width, 3]` of decoded frames: scaled to cover that size, then cropped about the centre.

    Args:
        path: The file, for messages.
        height: Rows of each picture.
        width: Columns of each picture.
    """

    def __init__(self, path: Path, height: int, width: int):
        self._path, self._height, self._width = path, height, width
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        orientation = orientation_of(frame)
        height, width = orientation.shape(self._height, self._width)
        scale = max(height / frame.height, width / frame.width)
        scaled_height, scaled_width = max(height, round(frame.height * scale)), max(width, round(frame.width * scale))
        top, left = (scaled_height - height) // 2, (scaled_width - width) // 2
        scaled = self._scale(frame, scaled_height, scaled_width)
        return np.ascontiguousarray(orientation.apply(scaled[top : top + height, left : left + width]))

    def _scale(self, frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
        """uint8 `[height, width, 3]` in standard RGB."""
        to_standard = STANDARD_RANGE.get(frame.color_trc)
        if to_standard is None and frame.color_primaries == ColorPrimaries.BT2020:
            to_standard = wide_to_standard
        if to_standard is None:
            return self._reformat(frame, height, width, "rgb24")
        return to_standard(self._reformat(frame, height, width, "rgb48le"))

    def _reformat(self, frame: av.VideoFrame, height: int, width: int, pixels: str) -> np.ndarray:
        try:
            scaled = self._reformatter.reformat(
                frame,
                width=width,
                height=height,
                format=pixels,
                interpolation=SCALING,
                dst_color_range=ColorRange.JPEG,
                threads=1,  # worker processes fork, and a pool of scaling threads would not survive that
            )
        except DECODE_ERRORS as error:
            raise VideoError(
                f"a {frame.format.name} frame of {self._path} cannot be turned into {height} x {width} RGB "
                f"({reason_of(error)}); convert the file with ffmpeg, or ask for another size"
            ) from error
        return scaled.to_ndarray()
