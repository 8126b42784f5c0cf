"""The truth about a sprite clip: what is in it, where, and how much of it can be seen."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from .shapes import Outline, Pen, outline

PHASES = 8
"""Objects are drawn to 1 / PHASES of a pixel, so that few masks serve all frames of a path."""


@dataclass(frozen=True)
class SpriteObject:
    """One object of a scene: its looks, and what it does."""

    shape: str
    """One of `SHAPES`."""
    colour: str
    """One of `COLOURS`."""
    size: str
    """"small" or "large"."""
    radius: float
    """Radius in pixels."""
    motion: str
    """One of `MOTIONS`, from frame 0 on."""
    start: tuple[float, float]
    """Centre (x, y) at frame 0, in pixels, before the camera moves."""
    speed: float
    """Pixels per frame and axis of motions that have a speed."""
    heading: tuple[int, int]
    """Sign of the speed along x and y at frame 0; (0, 0) for objects that do not set off."""
    pen: Pen
    """How it is written, if it is a digit."""
    then: str | None = None
    """The motion that follows: "stops" or a linear one."""
    switch: int | None = None
    """The first frame that shows `then`; always 1 + 4k."""
    names_size: bool = True
    """Whether the caption says the size."""

    @cached_property
    def outline(self) -> Outline:
        """Its shape at radius 1."""
        return outline(self.shape, self.pen)


class Background(Protocol):
    """What is behind all objects."""

    def paint(self, camera: np.ndarray, height: int, width: int) -> np.ndarray:
        """float32 `[T or 1, H, W, 3]` in 0 to 255, as seen with the camera at `camera` `[T, 2]`."""


class Footprint(NamedTuple):
    """The pixels that an object covers: `mask[t, i, j]` (0 to 1) of pixel `(rows[t, i], columns[t, j])`."""

    rows: np.ndarray
    columns: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that is true of a clip.

    Pixel (x, y) is the unit square around the point (x, y), so that the picture spans -0.5 to W - 0.5. Positions wrap
    around the borders. Later objects are in front of earlier ones; the bar is in front of all.
    """

    objects: tuple[SpriteObject, ...]
    """N objects, from back to front."""
    positions: np.ndarray
    """float64 `[N, T, 2]`: x in [0, W), y in [0, H) of each object's centre, as the camera sees it."""
    alpha: np.ndarray
    """float64 `[N, T]`: opacity, 1 unless an object fades."""
    bar: tuple[int, int] | None
    """First column of the bar and the first one after it."""
    background: Background
    """What is behind all objects."""
    light: np.ndarray
    """float64 `[T]`: factor on every pixel."""
    camera: np.ndarray
    """float64 `[T, 2]`: how far the camera has gone, in pixels; the picture moves the other way."""
    height: int
    """Rows."""
    width: int
    """Columns."""
    timeline: bool = False
    """Whether the clip is captioned anew when a motion changes, and not by one caption with "then"."""

    @property
    def num_frames(self) -> int:
        return len(self.light)

    @cached_property
    def visibility(self) -> np.ndarray:
        """float64 `[N, T]`: the share of each object's own pixels that can be seen; fading counts as covering."""
        masks = np.stack([self._spread(index) for index in range(len(self.objects))])  # [N, T, H, W]
        opaque = masks * self.alpha.astype(np.float32)[:, :, None, None]
        seen = opaque.copy()
        for front in range(1, len(masks)):
            seen[:front] *= 1 - opaque[front]
        if self.bar is not None:
            seen[..., slice(*self.bar)] = 0
        return seen.sum(axis=(2, 3), dtype=np.float64) / masks.sum(axis=(2, 3), dtype=np.float64)

    def footprint(self, index: int) -> Footprint:
        """The pixels that object `index` covers in each frame, as if it were alone and opaque."""
        item = self.objects[index]
        places = np.round(self.positions[index] * PHASES) / PHASES
        whole = np.floor(places)
        parts, which = _distinct(places - whole)
        border = int(np.ceil(item.outline.reach * item.radius + 0.5))
        offsets = np.arange(-border, border + 2)
        columns, rows = ((whole[:, axis, None].astype(np.int64) + offsets) for axis in (0, 1))
        mask = _mask(item, offsets, parts)[which]
        return Footprint(rows % self.height, columns % self.width, mask)

    def _spread(self, index: int) -> np.ndarray:
        """float32 `[T, H, W]`: the footprint in whole frames."""
        rows, columns, mask = self.footprint(index)
        spread = np.zeros((self.num_frames, self.height, self.width), dtype=np.float32)
        spread[np.arange(self.num_frames)[:, None, None], rows[:, :, None], columns[:, None, :]] = mask
        return spread


def _distinct(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows of `[T, 2]`, and which of them each row is."""
    values, which = np.unique(points[:, 0] + 1j * points[:, 1], return_inverse=True)
    return np.stack([values.real, values.imag], axis=1), which


def _mask(item: SpriteObject, offsets: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """float32 `[U, h, w]` coverage of the pixels at `offsets` from the centre's whole part, per fraction `[U, 2]`.

    The edge is a ramp of one pixel across the signed distance, which is the area covered by a straight edge.
    """
    x, y = ((offsets - parts[:, axis, None]) / item.radius for axis in (0, 1))  # [U, w], [U, h]
    x, y = x.astype(np.float32)[:, None, :], y.astype(np.float32)[:, :, None]
    return np.clip(0.5 - item.outline.distance(x, y) * np.float32(item.radius), 0, 1)
