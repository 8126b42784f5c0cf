"""Decoded frames to pictures: upright, of one size, in standard RGB."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc, Interpolation, VideoReformatter

from .bars import NO_BARS, Bars
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


@dataclass(frozen=True)
class Placed:
    """How a frame is laid into a picture."""

    scaled: tuple[int, int]
    """Rows and columns that the whole frame is scaled to."""
    taken: tuple[slice, slice]
    """Those of its rows and columns that are shown."""
    at: tuple[int, int]
    """The row and the column of the picture where they begin."""


def covering(frame: tuple[int, int], bars: Bars, picture: tuple[int, int]) -> Placed:
    """What lies between the bars is scaled to cover the picture; what does not fit is cut off at both sides."""
    scale = max(side / (whole * share) for side, whole, share in zip(picture, frame, (bars.rows, bars.columns), strict=True))
    scaled = max(picture[0], round(frame[0] * scale)), max(picture[1], round(frame[1] * scale))
    top = _middle(scaled[0], bars.top, bars.rows, picture[0])
    left = _middle(scaled[1], bars.left, bars.columns, picture[1])
    return Placed(scaled, (slice(top, top + picture[0]), slice(left, left + picture[1])), (0, 0))


def padded(frame: tuple[int, int], bars: Bars, picture: tuple[int, int]) -> Placed:
    """What lies between the bars is scaled to fit into the picture; the rest of the picture stays black."""
    scale = min(side / (whole * share) for side, whole, share in zip(picture, frame, (bars.rows, bars.columns), strict=True))
    scaled = max(1, round(frame[0] * scale)), max(1, round(frame[1] * scale))
    rows, columns = min(picture[0], round(scaled[0] * bars.rows)), min(picture[1], round(scaled[1] * bars.columns))
    rows, columns = max(1, rows), max(1, columns)
    top, left = _middle(scaled[0], bars.top, bars.rows, rows), _middle(scaled[1], bars.left, bars.columns, columns)
    taken = slice(top, top + rows), slice(left, left + columns)
    return Placed(scaled, taken, ((picture[0] - rows) // 2, (picture[1] - columns) // 2))


FITS: dict[str, Callable[[tuple[int, int], Bars, tuple[int, int]], Placed]] = {"crop": covering, "pad": padded}
"""How a frame of another shape becomes a picture."""


def check_fit(fit: str) -> str:
    """Raises ValueError if there is no such way to fit a frame."""
    if fit not in FITS:
        raise ValueError(f"got fit {fit!r}; wanted 'crop', which covers the picture, or 'pad', which shows all with black sides")
    return fit


def share_cut(frame: tuple[int, int], placed: Placed, bars: Bars) -> float:
    """Which share of what lies between the bars is not shown, 0 to 1."""
    shown = [(part.stop - part.start) / side for part, side in zip(placed.taken, placed.scaled, strict=True)]
    return max(0.0, 1 - shown[0] * shown[1] / (bars.rows * bars.columns))


def _middle(scaled: int, bar: float, share: float, wanted: int) -> int:
    """Where so many rows begin that lie in the middle of what lies between the bars."""
    return max(0, min(scaled - wanted, int(bar * scaled + (share * scaled - wanted) / 2)))


class PictureMaker:
    """Makes pictures uint8 `[height, width, 3]` of decoded frames: scaled, and cropped or padded about the centre.

    Args:
        path: The file, for messages.
        height: Rows of each picture.
        width: Columns of each picture.
        bars: What is left out at the sides of each stored frame.
        fit: "crop" or "pad", see `FITS`.
    """

    def __init__(self, path: Path, height: int, width: int, bars: Bars = NO_BARS, fit: str = "crop"):
        self._path, self._height, self._width = path, height, width
        self._bars, self._fit = bars, FITS[check_fit(fit)]
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        orientation = orientation_of(frame)
        shape, placed = orientation.shape(self._height, self._width), self._placed(frame)
        shown = self._scale(frame, *placed.scaled)[placed.taken]
        if shown.shape[:2] != shape:
            picture = np.zeros((*shape, 3), shown.dtype)
            picture[placed.at[0] :, placed.at[1] :][: shown.shape[0], : shown.shape[1]] = shown
            shown = picture
        return np.ascontiguousarray(orientation.apply(shown))

    def cut(self, frame: av.VideoFrame) -> float:
        """Which share of the picture of a frame is cut off, 0 to 1; bars do not count."""
        return share_cut((frame.height, frame.width), self._placed(frame), self._bars)

    def _placed(self, frame: av.VideoFrame) -> Placed:
        shape = orientation_of(frame).shape(self._height, self._width)
        return self._fit((frame.height, frame.width), self._bars, shape)

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
