"""Where one shot ends and the next one begins."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from einops import rearrange
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Shots"]

_SIDE, _BLOCK, _REACH = 32, 8, 9
"""Sides of the small copy and of its blocks, and how far a block may have moved: more than a quarter of the picture."""
_MOST_PIXELS = 128
"""Rows and columns that are averaged at most; of larger frames, some are taken."""
_NOISE = 4.0
"""Standard deviation, of 255, under which the pattern of a block counts as noise."""
_TEXTURE = 20.0
"""Standard deviation from which on a block has its full say."""
_EMPTY = 2.5
"""Mean standard deviation of the blocks under which a picture is empty: black, white, or a wall."""
_NEW_COLOURS = 0.5
"""Share of the pixels that change as a scene follows on an empty picture: more than an object changes that comes in."""
_LEAST_MORE, _UNSURE = 0.05, 0.1
"""How much more than usual is lost at a cut, and the more after a single change, as what is usual is hardly known."""
_MEMORY = 4
"""The level of a shot follows the last frames, about so many."""
_Patterns = tuple[np.ndarray, np.ndarray]
_PLACES = _SIDE - _BLOCK + 1
_ROWS, _COLUMNS = np.divmod(np.arange(_PLACES**2), _PLACES)
_BLOCKS = np.flatnonzero((_ROWS % _BLOCK == 0) & (_COLUMNS % _BLOCK == 0))
_NEAR = np.maximum(abs(_ROWS[_BLOCKS, None] - _ROWS), abs(_COLUMNS[_BLOCKS, None] - _COLUMNS)) <= _REACH


class Shots:
    """Finds the cuts in a stream of frames, one frame at a time, with constant memory.

    A small copy of each frame is compared with the one before. Blocks of the picture are looked for nearby, by a correlation
    that light does not change. What finds no place counts, beside the change of colours, and against the level of the shot,
    since in wild motion much is new in every frame. So the second frame of a shot never ends it. Frames that are empty are
    passed over: a fade through black ends a shot only if another scene comes back. A dissolve is not found.

    Of 200 joins of two kinds of real clips at 64x64 and 12 frames/s, all were found. In 144 clips without a cut, 9,848 frames,
    nothing else was. A minute of an action film has 28 cuts to the eye: 23 were found, and 2 explosions.

    Example:
        >>> shots = Shots()
        >>> [index for index, frame in enumerate(frames) if shots.begins(frame)]
        [0, 41]
    """

    def __init__(self) -> None:
        self._last: _Picture | None = None
        self._level: float | None = None
        self._count = 0

    def begins(self, frame: np.ndarray) -> bool:
        """Whether a frame begins a new shot; the first one always does.

        Args:
            frame: uint8 `[H, W, 3]`, of any size.
        """
        picture, last = _picture_of(frame), self._last
        if last is None:
            self._last = picture
            return True
        if picture.is_empty and not last.is_empty:
            return False
        change = _change(picture, last)
        self._last = picture
        is_first_scene = last.is_empty and not picture.is_empty and change.colours > _NEW_COLOURS
        if is_first_scene or change.is_cut(self._level, self._count):
            self._level, self._count = None, 0
            return True
        self._count += 1
        level = change.lost if self._level is None else self._level
        self._level = level + (change.lost - level) / min(self._count, _MEMORY)
        return False


@dataclass(frozen=True, eq=False)
class _Picture:
    """What is kept of a frame."""

    gray: np.ndarray
    """float `[32, 32]`."""
    patterns: np.ndarray
    """Every place's block without its light, float `[place, pixel]`, each of length at most 1."""
    texture: np.ndarray
    """The weight of every place's block, from 0 to `_TEXTURE`."""
    colours: np.ndarray
    """Which share of the picture has each of 64 colours."""

    @property
    def is_empty(self) -> bool:
        """Whether there is next to nothing in it."""
        return bool(self.texture[_BLOCKS].mean() < _EMPTY)


@dataclass(frozen=True)
class _Change:
    """How two pictures differ."""

    lost: float
    """Which share of the one is not found in the other, 0 to 1."""
    colours: float
    """Which share of the pixels changes its colour, 0 to 1."""

    def is_cut(self, level: float | None, count: int) -> bool:
        """Whether it ends a shot, by a logistic regression that was fitted to joins of real clips.

        Args:
            level: How much was lost from frame to frame in the shot so far; None after its first frame, where nobody knows.
            count: Of how many changes.
        """
        if level is None:
            return False
        more = self.lost - level
        score = 9.5 * self.lost + 10.5 * more + (4.0 + 13.0 * self.lost) * sqrt(self.colours) - 10.0
        return more > _LEAST_MORE + _UNSURE / count and score > 0


def _change(picture: _Picture, last: _Picture) -> _Change:
    """How a picture differs from the last one. If the light of one, given to the other, makes them alike, they are alike."""
    as_lit_now = _patterns(_lit_as(last.gray, picture.gray))
    as_lit_before = _patterns(_lit_as(picture.gray, last.gray))
    now, before = (picture.patterns, picture.texture), (last.patterns, last.texture)
    lost = min(_lost(now, before), _lost(now, as_lit_now), _lost(as_lit_before, before))
    return _Change(lost, float(abs(picture.colours - last.colours).sum() / 2))


def _lost(one: _Patterns, other: _Patterns) -> float:
    """Which share of each of two pictures is not found in the other, on average."""
    return (_not_found(*one, other[0]) + _not_found(*other, one[0])) / 2


def _not_found(patterns: np.ndarray, texture: np.ndarray, other: np.ndarray) -> float:
    """How far the blocks of a picture are from the most alike place nearby of another; blocks with more in them weigh more."""
    alike = np.where(_NEAR, patterns[_BLOCKS] @ other.T, -1.0).max(1)
    weight = texture[_BLOCKS]
    return float(((1 - alike) * weight).sum() / (weight.sum() + len(_BLOCKS)))


def _picture_of(frame: np.ndarray) -> _Picture:
    small = _small(frame)
    gray = small.mean(2)
    red, green, blue = rearrange((small / 64).astype(int).clip(0, 3), "h w c -> c (h w)")
    colours = np.bincount(16 * red + 4 * green + blue, minlength=64) / _SIDE**2
    return _Picture(gray, *_patterns(gray), colours)


def _patterns(gray: np.ndarray) -> _Patterns:
    """Every place's block without its light, and its texture; noise alone gives short vectors."""
    blocks = rearrange(sliding_window_view(gray, (_BLOCK, _BLOCK)), "y x h w -> (y x) (h w)")
    blocks = blocks - blocks.mean(1, keepdims=True)
    variance = (blocks**2).mean(1)
    patterns = blocks / (np.sqrt(variance + _NOISE**2) * _BLOCK)[:, None]
    return patterns, np.minimum(np.sqrt(variance), _TEXTURE)


def _lit_as(gray: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A picture whose levels become those of another, in their order: what a flash or a fade does to it."""
    lit = np.empty(gray.size, gray.dtype)
    lit[np.argsort(gray, axis=None, kind="stable")] = np.sort(other, axis=None)
    return lit.reshape(gray.shape)


def _small(frame: np.ndarray) -> np.ndarray:
    """float `[32, 32, 3]`: means of the parts of a frame."""
    steps = [max(1, side // _MOST_PIXELS) for side in frame.shape[:2]]
    return _means(_means(frame[:: steps[0], :: steps[1]].astype(np.float32), 0), 1)


def _means(values: np.ndarray, axis: int) -> np.ndarray:
    """Means of 32 equal parts along an axis; fewer values are repeated."""
    edges = np.arange(_SIDE + 1) * values.shape[axis] // _SIDE
    counts = np.maximum(np.diff(edges), 1).astype(np.float32)
    return np.add.reduceat(values, edges[:-1], axis) / np.expand_dims(counts, [other for other in range(3) if other != axis])
