"""The looks of sprites: colours, and outlines as signed distances."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from .digits import distance_to_segments, written_digit

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (230, 30, 40),
    "orange": (255, 135, 15),
    "yellow": (250, 235, 40),
    "green": (30, 190, 50),
    "cyan": (40, 220, 235),
    "blue": (45, 85, 255),
    "magenta": (235, 50, 220),
    "white": (245, 245, 245),
}


@dataclass(frozen=True)
class Pen:
    """How a digit is written by one hand; the other shapes have no use for it."""

    slant: float
    """Columns to the right per row upwards."""
    thickness: float
    """Half the width of the stroke, in radii of the object."""


@dataclass(frozen=True)
class Outline:
    """A shape of radius 1 around its centre of mass, y pointing down."""

    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]
    """Signed distance to the edge at (x, y), negative inside: true near the edge, at most so elsewhere."""
    reach: float
    """The shape lies in the square `[-reach, reach]`."""
    bottom: float
    """y of its lowest point: what touches the floor."""


def _circle(x, y):
    return np.sqrt(x * x + y * y) - 1


def _ring(x, y):
    return np.abs(np.sqrt(x * x + y * y) - 0.79) - 0.21


def _box(x, y, half_width, half_height):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _cross(x, y):
    return np.minimum(_box(x, y, 1.0, 0.32), _box(x, y, 0.32, 1.0))


def _triangle(x, y):
    nx, ny = 1.65, -1.0  # normal of the right edge, from (0, -1.1) to (1, 0.55)
    slope = (np.abs(x) * nx + (y + 1.1) * ny) / np.hypot(nx, ny)
    return np.maximum(np.maximum(slope, y - 0.55), np.maximum(np.abs(x) - 1, -1.1 - y))


def _star(x, y, outer=1.12, inner=0.52):
    wedge = np.pi / 5
    angle = np.abs((np.arctan2(x, -y) + wedge) % (2 * wedge) - wedge)  # 0 at a tip, wedge at a notch
    length = np.sqrt(x * x + y * y)
    edge_x, edge_y = inner * np.cos(wedge) - outer, inner * np.sin(wedge)
    edge = ((length * np.cos(angle) - outer) * edge_y - length * np.sin(angle) * edge_x) / np.hypot(edge_x, edge_y)
    return np.maximum(edge, length - outer)


_PLAIN = {
    "circle": Outline(_circle, reach=1.0, bottom=1.0),
    "square": Outline(partial(_box, half_width=0.85, half_height=0.85), reach=0.85, bottom=0.85),
    "triangle": Outline(_triangle, reach=1.1, bottom=0.55),
    "star": Outline(_star, reach=1.12, bottom=1.12 * np.cos(np.pi / 5)),
    "cross": Outline(_cross, reach=1.0, bottom=1.0),
    "ring": Outline(_ring, reach=1.0, bottom=1.0),
}
_DIGITS = {f"digit {digit}": digit for digit in range(10)}
PLAIN: tuple[str, ...] = tuple(_PLAIN)
DIGITS: tuple[str, ...] = tuple(_DIGITS)
SHAPES: tuple[str, ...] = (*PLAIN, *DIGITS)
MAX_REACH = max(outline.reach for outline in _PLAIN.values())


def outline(shape: str, pen: Pen) -> Outline:
    """The outline of one of `SHAPES`, digits written with the given pen."""
    if shape in _PLAIN:
        return _PLAIN[shape]
    segments = written_digit(_DIGITS[shape], pen.slant, pen.thickness)
    ink = partial(_ink, segments=segments, thickness=np.float32(pen.thickness))
    return Outline(ink, reach=1.0, bottom=float(segments[:, 1::2].max()) + pen.thickness)


def _ink(x, y, segments, thickness):
    return distance_to_segments(x, y, segments) - thickness
