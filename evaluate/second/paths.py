"""Whether a path is that of a motion: straight lines are fitted, all else is compared with the paths that the world has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...data.sprites import (
    BOUNCES,
    FADES_IN,
    FADES_OUT,
    FALLS,
    GRAVITY,
    LINEAR,
    PASSES,
    ObjectDescription,
    Pen,
    SpriteObject,
    floor_level,
    trajectory,
)
from .looks import ShapeAndSize
from .pieces import apart

_SPEED_OFF = 0.4  # of the speed, by which a fitted line may be too fast, too slow or aside
_REST = 0.22  # pixels per frame, below which an object rests
_OFF, _FAR_OFF = 2.0, 3.5  # pixels from a line, and from a path with turns, that still are on it
_MOSTLY, _LARGELY = 0.8, 0.7  # share of the frames in which it has to be on it
_LEAST_FRAMES = 5
_BEND = GRAVITY / 2  # pixels per frame and frame, from which a path is no line
_SLACK = 0.5  # pixels by which a line may be nearer to a path with turns
_PACES = (0.9, 1.0, 1.1)  # how fast a path with turns may be followed
_FADE = (4, 24)  # frames until a fade begins, and frames of it
_REACH = 1.06  # radii from the centre of an object to its edge, about
_MIDDLE = Pen(0.1, 0.165)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one object's way.

    Attributes:
        times: int64 `[F]`, frames in which its place is known.
        path: float64 `[F, 2]`, (x, y) in pixels, on beyond the borders where it crosses them.
        light: float64 `[T]`, how bright it is in each frame of the clip; 0 where it is not seen.
        bars: bool `[T, W]`, the columns of the bar.
        look: Its shape and size.
        radius: Of it, in pixels.
        height: Rows of the frames.
        speeds: Pixels per frame and axis that objects of this world have.
    """

    times: np.ndarray
    path: np.ndarray
    light: np.ndarray
    bars: np.ndarray
    look: ShapeAndSize
    radius: float
    height: int
    speeds: tuple[float, ...]

    @property
    def width(self) -> int:
        """Columns of the frames."""
        return self.bars.shape[1]

    @cached_property
    def line(self) -> "Line":
        """The straight line through all of its path."""
        return fitted(self.times, self.path)


@dataclass(frozen=True, eq=False)
class Line:
    """A straight way at one speed.

    Attributes:
        start: float64 `[2]`, the place at frame 0.
        velocity: float64 `[2]`, pixels per frame.
        off: float64 `[F]`, how far each place is from where it should be.
    """

    start: np.ndarray
    velocity: np.ndarray
    off: np.ndarray

    def goes(self, motion: str, speeds: Sequence[float]) -> bool:
        """Whether it is the line of a linear motion; all others rest."""
        if motion not in LINEAR:
            return bool(np.hypot(*self.velocity) < _REST)
        wanted = [np.array(LINEAR[motion]) * speed for speed in speeds]
        return any(bool((np.abs(self.velocity - one) < _SPEED_OFF * np.abs(one).max()).all()) for one in wanted)

    @property
    def holds(self) -> bool:
        """Whether the places lie on it."""
        return bool((self.off < _OFF).mean() >= _MOSTLY)


def unrolled(places: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Places `[F, 2]` on a frame whose borders meet, as a path that goes on beyond them by the shortest steps."""
    steps = apart(places[1:], places[:-1], size)
    return np.concatenate([places[:1], places[:1] + np.cumsum(steps, axis=0)])


def fitted(times: np.ndarray, path: np.ndarray) -> Line:
    """The line through a path by least squares, then by those of its places that are not far off."""
    kept = np.ones(len(times), dtype=bool)
    for _ in range(2):
        basis = np.stack([np.ones(kept.sum()), times[kept]], axis=1)
        start, velocity = np.linalg.lstsq(basis, path[kept], rcond=None)[0]
        off = np.hypot(*(path - start - times[:, None] * velocity).T)
        kept = off <= max(_OFF, 3 * float(np.median(off)))
    return Line(start, velocity, off)


def moves(seen: Seen, told: ObjectDescription) -> bool:
    """Whether an object does what its caption says."""
    if len(seen.times) < _LEAST_FRAMES:
        return False
    if told.then is not None:
        return _turns(seen, told.motion, told.then)
    return _OTHERS.get(told.motion, _goes)(seen, told.motion)


def _goes(seen: Seen, motion: str) -> bool:
    """Whether one line fits, and no parabola: what falls is straight on the whole, too."""
    bend = 2 * np.polyfit(seen.times, seen.path, 2)[0]
    return seen.line.goes(motion, seen.speeds) and seen.line.holds and bool(np.hypot(*bend) < _BEND)


def _turns(seen: Seen, first: str, then: str) -> bool:
    """Whether two lines fit, that meet at the best frame around the middle of the clip."""
    length, found = len(seen.light), list[tuple[float, Line, Line]]()
    for turn in range(length // 4, length - length // 4 + 1):
        early = seen.times < turn
        if min(early.sum(), (~early).sum()) < 3:
            continue
        one, other = (fitted(seen.times[part], seen.path[part]) for part in (early, ~early))
        found.append((float(np.concatenate([one.off, other.off]).mean()), one, other))
    if not found:
        return False
    _, one, other = min(found, key=lambda each: each[0])
    return one.goes(first, seen.speeds) and other.goes(then, seen.speeds) and one.holds and other.holds


def _bounces(seen: Seen, motion: str) -> bool:
    """Whether each axis goes to and fro between the borders, at any phase."""
    return all(_folds(seen, axis, _REACH * seen.radius, length) for axis, length in ((0, seen.width), (1, seen.height)))


def _folds(seen: Seen, axis: int, reach: float, length: int) -> bool:
    """Whether one axis goes to and fro, nearer to that than to rest, and no farther from it than from a line that never turns."""
    first, last = reach - 0.5, length - 0.5 - reach
    span, path = last - first, seen.path[:, axis]
    phases = np.arange(0, 2 * span, 0.5)
    paces = np.outer(seen.speeds, _PACES).ravel()
    along = (phases[:, None] + seen.times * paces[:, None, None]) % (2 * span)  # [paces, phases, F]
    off = np.abs(first + np.minimum(along, 2 * span - along) - path).reshape(-1, len(path))
    best = off[_mean_off(off).argmin()]
    rest, line = (
        _mean_off(path - np.median(path)),
        _mean_off(path - seen.line.start[axis] - seen.times * seen.line.velocity[axis]),
    )
    return bool((best < _FAR_OFF).mean() >= _MOSTLY and _mean_off(best) < min(rest / 2, line + _SLACK))


def _mean_off(off: np.ndarray) -> np.ndarray:
    """The mean distance over the last axis, of which none counts for more than eight pixels."""
    return np.minimum(np.abs(off), 8).mean(axis=-1)


def _falls(seen: Seen, motion: str) -> bool:
    """Whether it falls and hops as a falling object of its look does, from anywhere, and is nearer to that than to a line."""
    line = seen.line
    aside = np.abs(seen.path[:, 0] - np.median(seen.path[:, 0]))
    if abs(line.velocity[0]) > _REST or (aside < _FAR_OFF).mean() < _MOSTLY:
        return False
    falls = fall_paths(seen.look.shape, seen.look.size, seen.radius, len(seen.light), seen.height)
    off = np.concatenate([np.abs(falls[:, seen.times] - seen.path[:, 1] - shift) for shift in (-2, 0, 2)])
    best = off[_mean_off(off).argmin()]
    return bool((best < _FAR_OFF).mean() >= _LARGELY and _mean_off(best) < _mean_off(line.off))


@lru_cache(maxsize=64)
def fall_paths(shape: str, size: str, radius: float, frames: int, height: int) -> np.ndarray:
    """float64 `[N, frames]`: y of a falling object from each height, at several paces."""
    paths = []
    for start in range(int(radius), int(0.72 * height)):
        item = SpriteObject(shape, "white", size, radius, FALLS, (0, start), 1.0, (0, 0), _MIDDLE)
        if floor_level(item, height) - start < 10:
            break
        path = trajectory(item, 2 * frames, height, height)[:, 1]
        paths += [np.interp(np.arange(frames) * pace, np.arange(2 * frames), path) for pace in (0.85, *_PACES, 1.15)]
    return np.array(paths)


def _passes(seen: Seen, motion: str) -> bool:
    """Whether it goes sideways on a line that the bar hides, and is seen where the line is beside the bar."""
    line, bars = seen.line, seen.bars.any(axis=1)
    sideways = [abs(abs(line.velocity[0]) - speed) < _SPEED_OFF * speed for speed in seen.speeds]
    if bars.mean() < _LARGELY or not any(sideways) or abs(line.velocity[1]) > _REST:
        return False
    columns = np.flatnonzero(seen.bars.mean(axis=0) > 0.5 * bars.mean())
    if not len(columns) or (line.off < _FAR_OFF).mean() < _MOSTLY:
        return False
    middle, half = columns.mean(), len(columns) / 2
    times = np.arange(len(seen.light))
    ways = np.abs(apart(line.start[0] + times * line.velocity[0], middle, np.array(seen.width)))
    beside = ways > half + seen.radius + 1
    shown = bool((seen.light[beside] > 0).mean() >= _LARGELY) if beside.sum() > 2 else True
    return shown and bool(ways.min() < half)


def _fades(seen: Seen, motion: str) -> bool:
    """Whether it rests, and its light follows the ramp of a fade rather than being always the same."""
    ramp = np.clip((np.arange(len(seen.light)) - _FADE[0]) / _FADE[1], 0, 1)
    ramp = 1 - ramp if motion == FADES_OUT else ramp
    off = [float(np.square(seen.light - one * (seen.light @ one) / (one @ one)).sum()) for one in (ramp, np.ones_like(ramp))]
    return bool(np.hypot(*seen.line.velocity) < _REST and seen.line.holds and off[0] < off[1] / 2)


_OTHERS: dict[str, Callable[[Seen, str], bool]] = {
    BOUNCES: _bounces,
    FALLS: _falls,
    PASSES: _passes,
    FADES_OUT: _fades,
    FADES_IN: _fades,
}
