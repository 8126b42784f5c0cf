"""What can be said of a stretch of video by measuring it: each rule has a few phrases, and evidence for each at each moment."""

from abc import ABC, abstractmethod
from itertools import product

import numpy as np

from .blocks import Floats
from .measuring import COLOURS, Measures

STANDS = "the camera stands still"
_SMOOTH = 0.75  # seconds over which motion is averaged
_STILL, _MOVES = 0.012, 0.035  # widths a second: at rest up to the first, on its way from the second on
_ZOOM_ARM = 0.3  # widths from the centre; what a zoom does there is compared with a pan
_SHAKES = 0.12  # widths a second that lead nowhere
_TRUSTED = 0.3  # share of the picture that has to agree on what the camera does
_NOTHING, _LITTLE, _SOME, _MUCH = 0.004, 0.03, 0.12, 0.35  # shares of the picture that move, in the middle of each word
_ONE_WAY = 0.55  # length of the mean direction, from which on there is one
_DARK, _BRIGHT, _EDGE = 0.22, 0.7, 0.05  # mean greys, and how wide their borders are
_LIGHT_CHANGES = 0.12  # of all greys, in the two seconds around a moment
_MOSTLY = 0.4  # share of the picture that has a colour, to say so


class Rule(ABC):
    """Something that can be said of each moment of a shot, in a few phrases that are fixed.

    Attributes:
        phrases: All that it can say; "" says nothing.
        splits: Whether a change begins a new entry; otherwise the phrase of the whole entry is taken.
    """

    phrases: tuple[str, ...]
    splits = True

    @abstractmethod
    def evidence(self, measures: Measures) -> Floats:
        """How well each phrase fits each moment, from 0 to 1, float32 `[T, P]`."""


class Camera(Rule):
    """What the camera does. A camera that goes forward looks like one that zooms in, and is said to."""

    phrases = (
        STANDS,
        "the camera pans left",
        "the camera pans right",
        "the camera tilts up",
        "the camera tilts down",
        "the camera zooms in",
        "the camera zooms out",
        "the camera shakes",
        "",
    )

    def evidence(self, measures: Measures) -> Floats:
        """Rest against motion, shared out among the kinds of motion; nothing where the picture does not agree with itself."""
        width = max(1, round(_SMOOTH * measures.rate))
        x, y = (_smooth(measures.pan[:, axis], measures.trust, width) for axis in (0, 1))
        zoom = _ZOOM_ARM * _smooth(measures.zoom, measures.trust, width)
        lost = _average(np.linalg.norm(measures.pan, axis=1), width) - np.hypot(x, y)
        kinds = np.stack([_up(x), _up(-x), _up(y), _up(-y), _up(zoom), _up(-zoom)], axis=1)
        length = np.linalg.norm(kinds, axis=1)
        moves = _ramp(length, _STILL, _MOVES)
        shakes = _ramp(lost, _SHAKES / 2, 1.5 * _SHAKES) * (lost > length)
        known = _ramp(_average(measures.trust, width), _TRUSTED / 2, 1.5 * _TRUSTED)
        shares = np.square(kinds) / np.maximum(np.square(length), 1e-9)[:, None]
        said = np.concatenate([(1 - moves)[:, None], moves[:, None] * shares], axis=1) * (1 - shakes)[:, None]
        return np.concatenate([np.column_stack([said, shakes]) * known[:, None], 1 - known[:, None]], axis=1)


class Movement(Rule):
    """How much moves otherwise than the camera, where, and which way."""

    _AMOUNTS = ("a little movement", "some movement", "much movement")
    _PLACES = ("", " on the left", " on the right", " at the top", " at the bottom", " in the middle")
    _WAYS = ("", " to the left", " to the right", " upwards", " downwards")
    phrases = ("nothing moves", *(a + w + p for a, p, w in product(_AMOUNTS, _PLACES, _WAYS)))

    def evidence(self, measures: Measures) -> Floats:
        """The product of what fits for the amount, the place and the way."""
        width = max(1, round(_SMOOTH * measures.rate))
        moved = np.log(np.maximum(_average(measures.moved, width), 1e-4))
        levels = np.log([_NOTHING, _LITTLE, _SOME, _MUCH])
        amounts = np.maximum(0, 1 - np.abs(moved.clip(levels[0], levels[-1])[:, None] - levels) / np.diff(levels).min() * 0.7)
        amounts /= amounts.sum(1, keepdims=True)
        places = self._places(np.stack([_average(row, width) for row in measures.places.reshape(-1, 9).T], axis=1))
        ways = self._ways(
            np.stack([_average(axis, width) for axis in (measures.ways * measures.moved[:, None]).T], 1), measures, width
        )
        places, ways = (fits / fits.max(1, keepdims=True) for fits in (places, ways))  # so that no amount is split up
        some = np.einsum("ta,tp,tw->tapw", amounts[:, 1:], places, ways).reshape(len(moved), -1)
        return np.concatenate([amounts[:, :1], some], axis=1).astype(np.float32)

    def _places(self, grid: Floats) -> Floats:
        """Evidence for no place and each of the others, by which thirds of the picture hold most of what moves."""
        shares = (grid / np.maximum(grid.sum(1, keepdims=True), 1e-6)).reshape(-1, 3, 3)
        columns, rows = shares.sum(1), shares.sum(2)
        parts = [columns[:, 0], columns[:, 2], rows[:, 0], rows[:, 2], (columns[:, 1] + rows[:, 1]) / 2 * (shares[:, 1, 1] > 0.2)]
        fits = _ramp(np.stack(parts, axis=1), 0.45, 0.75)
        return _or_nothing(fits)

    def _ways(self, ways: Floats, measures: Measures, width: int) -> Floats:
        mean = ways / np.maximum(_average(measures.moved, width), 1e-6)[:, None]
        parts = np.stack([-mean[:, 0], mean[:, 0], -mean[:, 1], mean[:, 1]], axis=1).astype(np.float32)
        return _or_nothing(_ramp(parts, _ONE_WAY - 0.2, _ONE_WAY + 0.2))


class Light(Rule):
    """How bright the picture is, and whether that changes."""

    phrases = ("", "a bright picture", "a dark picture", "the picture gets brighter", "the picture gets darker")

    def evidence(self, measures: Measures) -> Floats:
        """A change outweighs the level."""
        second = max(1, round(measures.rate))
        light = _average(measures.light, max(1, second // 3))
        padded = np.pad(light, second, mode="edge")
        rises = padded[2 * second :] - padded[: -2 * second]
        changes = [_ramp(way * rises, _LIGHT_CHANGES / 2, 1.5 * _LIGHT_CHANGES) for way in (1, -1)]
        levels = [_ramp(light, _BRIGHT - _EDGE, _BRIGHT + _EDGE), 1 - _ramp(light, _DARK - _EDGE, _DARK + _EDGE)]
        steady = 1 - np.maximum(*changes)
        return np.stack([(1 - levels[0] - levels[1]) * steady, levels[0] * steady, levels[1] * steady, *changes], axis=1)


class Colour(Rule):
    """The colour of nearly half of the picture, if there is one."""

    phrases = ("", *(f"mostly {colour}" for colour in (*COLOURS, "brown")), "black and white")
    splits = False

    def evidence(self, measures: Measures) -> Floats:
        """By the share of each colour; by nearly all of the picture, if there is none."""
        coloured = _ramp(measures.colours[:, :-1], _MOSTLY - 0.1, _MOSTLY + 0.1)
        grey = _ramp(measures.colours[:, -1:], 0.93, 0.99)
        return _or_nothing(np.concatenate([coloured, grey], axis=1))


RULES: tuple[Rule, ...] = (Camera(), Movement(), Light(), Colour())
"""In the order in which they speak. Of two changes within a second, that of the earlier rule says where an entry begins."""


def _up(values: Floats) -> Floats:
    return np.maximum(values, 0)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high` on."""
    return ((values - low) / (high - low)).clip(0, 1)


def _or_nothing(fits: Floats) -> Floats:
    """Evidence for "nothing" before that of the others; the others share theirs if several fit."""
    total = fits.sum(1, keepdims=True)
    return np.concatenate([1 - fits.max(1, keepdims=True), fits * fits.max(1, keepdims=True) / np.maximum(total, 1e-6)], axis=1)


def _average(values: Floats, width: int) -> Floats:
    """The mean of `width` moments around each, fewer at the ends."""
    return _smooth(values, np.ones_like(values), width)


def _smooth(values: Floats, weights: Floats, width: int) -> Floats:
    """The weighted mean around each moment, in float64 since long sums lose digits."""
    total, weight = (np.concatenate([[0.0], np.cumsum(part, dtype=np.float64)]) for part in (values * weights, weights))
    first = np.maximum(np.arange(len(values)) - width // 2, 0)
    end = np.minimum(np.arange(len(values)) + (width + 1) // 2, len(values))
    return ((total[end] - total[first]) / np.maximum(weight[end] - weight[first], 1e-6)).astype(np.float32)
