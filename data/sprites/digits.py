"""Handwritten-style digits: a few strokes each, made of short straight segments."""

import numpy as np


def _line(*points: tuple[float, float]) -> np.ndarray:
    """Segments `[S, 4]` (x0, y0, x1, y1) from point to point."""
    corners = np.array(points, dtype=np.float32)
    return np.concatenate([corners[:-1], corners[1:]], axis=1)


def _arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> np.ndarray:
    """Segments of an elliptic arc around (x, y), angles in degrees, clockwise from the right as y points down."""
    angles = np.radians(np.linspace(start, stop, 2 + round(abs(stop - start) / 33)))
    return _line(*zip(x + rx * np.cos(angles), y + ry * np.sin(angles), strict=True))


_SIX = (_arc(0.55, 0.45, 1.1, 1.45, 180, 262), _arc(0.0, 0.45, 0.55, 0.55, 0, 360))

_STROKES = {
    0: (_arc(0.0, 0.0, 0.6, 1.0, 0, 360),),
    1: (_line((-0.4, -0.55), (0.05, -1.0), (0.05, 1.0)), _line((-0.35, 1.0), (0.45, 1.0))),
    2: (_arc(0.0, -0.45, 0.55, 0.55, 195, 395), _line((0.45, -0.13), (-0.58, 1.0), (0.62, 1.0))),
    3: (_arc(-0.05, -0.5, 0.53, 0.5, 205, 450), _arc(-0.05, 0.5, 0.6, 0.5, 270, 515)),
    4: (_line((0.32, 1.0), (0.32, -1.0), (-0.62, 0.35), (0.68, 0.35)),),
    5: (_line((0.52, -1.0), (-0.42, -1.0), (-0.47, -0.08)), _arc(0.0, 0.38, 0.58, 0.62, 228, 510)),
    6: _SIX,
    7: (_line((-0.6, -1.0), (0.6, -1.0), (-0.15, 1.0)),),
    8: (_arc(0.0, -0.5, 0.46, 0.5, 0, 360), _arc(0.0, 0.5, 0.58, 0.5, 0, 360)),
    9: tuple(-stroke for stroke in _SIX),
}
DIGIT_SEGMENTS = {digit: np.concatenate(strokes) for digit, strokes in _STROKES.items()}


def written_digit(digit: int, slant: float, thickness: float) -> np.ndarray:
    """The segments of one written digit, with its centre of mass at the origin and its ink inside of [-1, 1].

    Args:
        digit: 0 to 9.
        slant: Shear, in columns to the right per row upwards.
        thickness: Half the width of the stroke.

    Returns:
        float32 `[S, 4]` (x0, y0, x1, y1), y pointing down.
    """
    segments = DIGIT_SEGMENTS[digit].copy()
    segments[:, 0::2] -= slant * segments[:, 1::2]
    ends = segments.reshape(-1, 2, 2)  # [S, ends, xy]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1, keepdims=True)
    ends -= (ends.mean(axis=1) * lengths).sum(axis=0) / lengths.sum()
    return segments * ((1 - thickness) / np.abs(segments).max())


def distance_to_segments(x: np.ndarray, y: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Distance from each point to the nearest of the segments `[S, 4]`; x and y broadcast together."""
    x0, y0, x1, y1 = segments.T.reshape(4, -1, *[1] * max(x.ndim, y.ndim)).astype(np.float32)
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    along = np.clip((x - x0) * (dx / length) + (y - y0) * (dy / length), 0, 1)
    across_x, across_y = x - x0 - along * dx, y - y0 - along * dy
    return np.sqrt((across_x * across_x + across_y * across_y).min(axis=0))
