"""Black bars around a picture: letterboxes and pillarboxes."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from .decoding import Decoder
from .errors import VideoError

MOMENTS = 8
"""At how many moments of a file bars are looked for."""
_LEAST_MOMENTS = 3
"""Moments with light that must agree."""
_NEAR_SECONDS = 120.0
"""Of files in which nothing leads to a moment, only the beginning is looked at."""
_BLACK, _SPECKS = 36, 0.01
"""Levels up to this one are black, of 255, and this share of a black row may be brighter: noise and scratches."""
_DIM = 12.0
"""Mean level under which a picture says nothing of its edges."""
_LEAST_BAR, _MOST_BARS = 0.015, 0.75
"""Shares of a side: thinner bars are the edge of a scan, and what has more than that of them is a dark scene."""
_UNEVEN = 0.02
"""Share of a side by which two bars that belong together may differ."""
_MARGIN = 2
"""Rows or columns beside a bar that are cut with it: scaling and compression have mixed them."""
_LIT_EDGE, _EDGE_WIDTH = 0.4, 0.02
"""Share of the pixels that is lit in the strip beside a bar, and the share of a side that this strip has."""

_DEEPER, _AS_BRIGHT = 3, 0.6
"""So many widths of that strip further in lies another one. The first is nearly as bright; in a vignette it is not."""


@dataclass(frozen=True)
class Bars:
    """The shares of a stored frame, 0 to 1, that black bars take at its sides."""

    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0

    def __bool__(self) -> bool:
        return any(astuple(self))

    @property
    def rows(self) -> float:
        """Which share of the rows is picture."""
        return 1 - self.top - self.bottom

    @property
    def columns(self) -> float:
        """Which share of the columns is picture."""
        return 1 - self.left - self.right


NO_BARS = Bars()


def find_bars(path: Path) -> Bars:
    """The bars that are there in all of a file, looked for at moments all over it.

    A bar counts only if another one of its width lies at the other side, if both end at one line at all moments, and if light
    begins right beside them. So a dark scene has none. A file that cannot be read has none.
    """
    with suppress(VideoError):
        return _common(_levels(frame) for frame in _moments(path))
    return NO_BARS


def _moments(path: Path) -> Iterator[VideoFrame]:
    """A frame at each moment, from the first one on."""
    with closing(Decoder(path, 0.0)) as decoder:
        container = decoder.container
        seconds = container.duration or 0.0
        seconds = seconds if container.leads_to(seconds) else min(seconds or _NEAR_SECONDS, _NEAR_SECONDS)
        yield decoder.first.frame
    for index in range(1, MOMENTS):
        moment = index / MOMENTS * seconds
        with closing(Decoder(path, moment)) as decoder:
            shown = decoder.first
            for later in decoder.rest:
                if later.time > moment:
                    break
                shown = later
            yield shown.frame


def _levels(frame: VideoFrame) -> np.ndarray:
    """uint8 `[H, W]`: the brightest colour of each pixel."""
    picture = VideoReformatter().reformat(frame, format="rgb24", dst_color_range=ColorRange.JPEG, threads=1)
    return picture.to_ndarray().max(2)


def _common(pictures: Iterator[np.ndarray]) -> Bars:
    """The bars of all pictures; the first lit picture without any ends the search."""
    found: list[list[int]] = []
    lit: list[list[bool]] = []
    shape = (0, 0)
    for picture in pictures:
        if picture.mean() < _DIM:
            continue
        if found and picture.shape != shape:
            return NO_BARS
        shape, edges = picture.shape, _edges(picture)
        found.append(edges)
        lit.append([_is_lit(picture, side, edge) for side, edge in enumerate(edges)])
        if not _bars_of(np.min(found, 0), shape):
            return NO_BARS
    if len(found) < _LEAST_MOMENTS:
        return NO_BARS
    sharp = (np.array(lit) & (np.array(found) <= np.min(found, 0) + _MARGIN)).sum(0) >= _LEAST_MOMENTS - 1
    return _bars_of(np.where(sharp, np.min(found, 0), 0), shape)


def _edges(picture: np.ndarray) -> list[int]:
    """How many rows and columns are black at top, bottom, left and right."""
    bright = picture > _BLACK
    rows, columns = (bright.mean(axis) > _SPECKS for axis in (1, 0))
    if not rows.any() or not columns.any():
        return [0, 0, 0, 0]
    return [int(np.argmax(line)) for line in (rows, rows[::-1], columns, columns[::-1])]


def _is_lit(picture: np.ndarray, side: int, edge: int) -> bool:
    """Whether light begins right beside a bar, and not little by little."""
    lines = [picture, picture[::-1], picture.T, picture.T[::-1]][side]
    width = max(4, round(_EDGE_WIDTH * len(lines)))
    beside, within = (lines[edge + _MARGIN + start :][:width] for start in (0, _DEEPER * width))
    return bool((beside > _BLACK).mean() > _LIT_EDGE and within.size and beside.mean() > _AS_BRIGHT * within.mean())


def _bars_of(edges: np.ndarray, shape: tuple[int, ...]) -> Bars:
    """Those edges that are two bars of one width."""
    shares = [*_pair(edges[0], edges[1], shape[0]), *_pair(edges[2], edges[3], shape[1])]
    return Bars(*shares)


def _pair(one: int, other: int, side: int) -> tuple[float, float]:
    bars = min(one, other) / side, (one + other) / side, abs(one - other) / side
    if bars[0] < _LEAST_BAR or bars[1] > _MOST_BARS or bars[2] > _UNEVEN:
        return 0.0, 0.0
    return float(one + _MARGIN) / side, float(other + _MARGIN) / side
