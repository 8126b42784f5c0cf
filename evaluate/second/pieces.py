"""Pieces of one colour in each frame of a clip: what is brighter than the ground, by hue, as far as it hangs together."""

import colorsys
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ...data.sprites import COLOURS

_BRIGHT = 30.0  # of 255, above the ground; less is ground
_SHARE_OF_PEAK = 0.3  # pixels of a piece that are darker than this share of its brightest ones belong to the ground
_PALE = 0.42  # saturation below which a colour is white
_LEAST_PIXELS = 8
_FRINGE = 0.6  # share of a piece that is beside others, from which it is but their edge
_FAR_LARGER, _BRIGHTER = 5, 1.3  # times the pixels, or twice the pixels at so many times the light: what has an edge
_SPAN = 22  # pixels; parts of one colour within such a square are one piece, since something may cover the middle
_BAR_LIGHT, _BAR_HUE = 20.0, 34.0  # the least that a column is lighter than most, and the most that its channels differ
_BAR_COLUMNS = range(6, 27)
_HUES = [colorsys.rgb_to_hsv(*channels)[0] for channels in COLOURS.values()]
_WHITE = list(COLOURS).index("white")


@dataclass(frozen=True, eq=False)
class Piece:
    """All pixels of one colour that lie together in one frame.

    Attributes:
        frame: In which frame.
        colour: Place in `COLOURS`.
        centre: float64 `[2]`, (x, y) of the middle of its light.
        pixels: int64 `[P]`, places in the flat frame.
        light: How bright its brightest tenth is, 0 to 255 above the ground.
    """

    frame: int
    colour: int
    centre: np.ndarray
    pixels: np.ndarray
    light: float


@dataclass(frozen=True, eq=False)
class Pieces:
    """A clip, taken apart.

    Attributes:
        above: float32 `[T, H, W, 3]`, what is above the ground; 0 behind the bar.
        bars: bool `[T, W]`, the columns of the bar.
        found: The pieces in the order of their frames.
    """

    above: np.ndarray
    bars: np.ndarray
    found: tuple[Piece, ...]


def take_apart(frames: np.ndarray) -> Pieces:
    """The pieces of a clip uint8 `[T, H, W, 3]`."""
    bars, pixels = bar_columns(frames), frames.astype(np.float32)
    free = ~widened(bars)
    above = (pixels - ground(pixels, free)) * free[:, None, :, None]
    smooth = _smoothed(above)
    bright = brightest(smooth) >= _BRIGHT
    hue = np.full(bright.shape, -1)
    hue[bright] = nearest_colour(smooth[bright])
    pieces = _pieces(hue, brightest(above))
    return Pieces(above, bars, tuple(_without_fringes(pieces, hue.shape[1:])))


def bar_columns(frames: np.ndarray) -> np.ndarray:
    """bool `[T, W]`: columns of uint8 `[T, H, W, 3]` whose middle pixel is light and grey, six to 26 of them side by side."""
    half = frames.shape[1] // 2
    middle = np.partition(frames, half, axis=1)[:, half].astype(np.float32)  # [T, W, 3]
    light = middle.mean(axis=2)
    grey = (light - np.median(light, axis=1)[:, None] > _BAR_LIGHT) & (np.ptp(middle, axis=2) < _BAR_HUE)
    bars = np.zeros_like(grey)
    for row, candidates in zip(bars, grey, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], candidates.astype(np.int8), [0]]))).reshape(-1, 2)
        first, end = max(edges.tolist(), key=lambda run: run[1] - run[0], default=(0, 0))
        if end - first in _BAR_COLUMNS:
            row[first:end] = True
    return bars


def widened(bars: np.ndarray) -> np.ndarray:
    """bool `[T, W]`: the columns of the bar and two beside it on either side, in which it is mixed with what is behind."""
    return np.any([np.roll(bars, step, axis=1) for step in range(-2, 3)], axis=0)


def ground(pixels: np.ndarray, open_columns: np.ndarray) -> np.ndarray:
    """float32 `[T, H, W, 3]`: the background, a plane in each frame and channel through what is not much brighter than most.

    `open_columns` `[T, W]` are those without a bar.
    """
    frames, height, width, _ = pixels.shape
    flat = pixels.reshape(frames, height * width, 3)
    dark = brightest(flat - np.median(flat[:, ::3], axis=1)[:, None]) < _BRIGHT + 10
    dark &= np.broadcast_to(open_columns[:, None], (frames, height, width)).reshape(dark.shape)
    y, x = np.mgrid[:height, :width].reshape(2, -1) / max(height, width) - 0.5
    basis = np.stack([np.ones_like(x), x, y], axis=1).astype(np.float32)  # [H * W, 3]
    weights = dark.astype(np.float32)
    moments = (weights @ (basis[:, :, None] * basis[:, None]).reshape(-1, 9)).reshape(-1, 3, 3)
    sums = basis.T @ (flat * weights[:, :, None])  # [T, 3, channels]
    planes = np.linalg.solve(moments + 1e-3 * np.eye(3), sums)
    return (basis @ planes.astype(np.float32)).reshape(pixels.shape)


def brightest(values: np.ndarray) -> np.ndarray:
    """The largest of three channels `[..., 3]`, much faster than by `max`."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])


def nearest_colour(above: np.ndarray) -> np.ndarray:
    """int64: for each pixel `[..., 3]` above the ground the place in `COLOURS` whose hue is nearest; white if it is pale."""
    light, dark = above.max(axis=-1), above.min(axis=-1)
    spread = np.maximum(light - dark, 1e-3)
    red, green, blue = np.moveaxis(above, -1, 0)
    sixths = np.select(
        [red >= light, green >= light], [(green - blue) / spread, 2 + (blue - red) / spread], 4 + (red - green) / spread
    )
    apart = np.abs((sixths[..., None] / 6 - np.array(_HUES) + 0.5) % 1 - 0.5)
    apart[..., _WHITE] = 1
    return np.where(spread < _PALE * np.maximum(light, 1e-3), _WHITE, apart.argmin(axis=-1))


def full_light(colour: int) -> float:
    """How far the brightest channel of a colour stands above a usual ground, 0 to 255."""
    return 0.92 * max(tuple(COLOURS.values())[colour])


def round_mean(places: np.ndarray, weights: np.ndarray, length: int) -> float:
    """The weighted mean of places on a line of `length` pixels whose ends meet."""
    angles = places * (2 * np.pi / length)
    return float(np.arctan2(weights @ np.sin(angles), weights @ np.cos(angles)) / (2 * np.pi) * length % length)


def apart(first: np.ndarray, second: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The shortest way `[..., 2]` from the second to the first place on a frame (W, H) whose borders meet."""
    return (first - second + size / 2) % size - size / 2


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask bool `[..., H, W]` and all within so many pixels of it, across the borders."""
    for axis in (-2, -1):
        mask = np.any([np.roll(mask, step, axis=axis) for step in range(-pixels, pixels + 1)], axis=0)
    return mask


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Each pixel `[T, H, W, C]` with a quarter of its neighbours on either side, across the borders."""
    for axis in (1, 2):
        values = values / 2 + (np.roll(values, 1, axis=axis) + np.roll(values, -1, axis=axis)) / 4
    return values


def _pieces(hue: np.ndarray, light: np.ndarray) -> list[Piece]:
    """Pieces of a hue `[T, H, W]`, -1 for the ground."""
    shape, flat = hue.shape[1:], light.reshape(len(light), -1)
    place = np.flatnonzero(hue.ravel() >= 0)
    labels = _together(hue, place)
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order])) + 1
    parts: dict[tuple[int, int], list[np.ndarray]] = {}
    for pixels in np.split(place[order], bounds) if len(place) else []:
        frame, inside = pixels[0] // hue[0].size, pixels % hue[0].size
        values = flat[frame, inside]
        bright = inside[values > _SHARE_OF_PEAK * np.sort(values)[-1 - len(values) // 10]]
        if len(bright):
            parts.setdefault((int(frame), int(hue.ravel()[pixels[0]])), []).append(bright)
    found = []
    for (frame, colour), some in sorted(parts.items()):
        for pixels in _merged(some, shape):
            if len(pixels) >= _LEAST_PIXELS:
                found.append(_piece(frame, colour, pixels, flat[frame, pixels], shape))
    return found


def _piece(frame: int, colour: int, pixels: np.ndarray, light: np.ndarray, shape: tuple[int, ...]) -> Piece:
    height, width = shape
    weights = np.maximum(light, 0.0)
    centre = np.array([round_mean(pixels % width, weights, width), round_mean(pixels // width, weights, height)])
    return Piece(frame, colour, centre, pixels, float(np.sort(light)[-1 - len(light) // 10]))


def _without_fringes(pieces: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """The pieces that are not but the edges of others."""
    kept: list[Piece] = []
    for _, some in groupby(pieces, key=lambda piece: piece.frame):
        here = list(some)
        kept += [piece for piece in here if not _is_fringe(piece, [one for one in here if one.colour != piece.colour], shape)]
    return kept


def _is_fringe(piece: Piece, others: list[Piece], shape: tuple[int, ...]) -> bool:
    """Whether a piece is the edge of a far larger one, or the mixture of two others, as orange is of red and yellow."""
    beside = []
    for other in others:
        mask = np.zeros(shape, dtype=bool)
        mask.ravel()[other.pixels] = True
        beside.append(grown(mask, 2).ravel()[piece.pixels])
        larger = len(other.pixels) / len(piece.pixels)
        if larger > _FAR_LARGER or (larger > 2 and other.light > _BRIGHTER * piece.light):
            beside.append(beside[-1])
    return bool(beside) and bool((np.sum(beside, axis=0) >= 2).mean() > _FRINGE)


def _merged(parts: list[np.ndarray], shape: tuple[int, ...]) -> list[np.ndarray]:
    """Parts of one colour, the largest first, each with the smaller ones that fit into one object with it."""
    height, width = shape
    size, rest, merged = np.array([width, height]), sorted(parts, key=len, reverse=True), []
    while rest:
        whole, others = rest[0], list[np.ndarray]()
        for part in rest[1:]:
            both = np.concatenate([whole, part])
            places = np.stack([both % width, both // width], axis=1)
            spans = np.ptp(apart(places, places[0], size), axis=0)
            whole, others = (both, others) if spans.max() <= _SPAN else (whole, [*others, part])
        merged.append(whole)
        rest = others
    return merged


def _together(hue: np.ndarray, place: np.ndarray) -> np.ndarray:
    """For each of some places in the flat clip a number that all places have which hang together with it in one hue."""
    index = np.full(hue.shape, -1)
    index.ravel()[place] = np.arange(len(place))
    ends = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        beside = np.roll(index, (-down, -right), axis=(1, 2)).ravel()[place]
        same = beside >= 0
        same[same] = hue.ravel()[place[beside[same]]] == hue.ravel()[place[same]]
        ends.append(np.stack([np.flatnonzero(same), beside[same]]))
    one, other = np.concatenate(ends, axis=1)
    label = np.arange(len(place))
    while True:
        lower = np.minimum(label[one], label[other])
        new = label.copy()
        np.minimum.at(new, label[one], lower)
        np.minimum.at(new, label[other], lower)
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new
