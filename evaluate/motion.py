"""How an object moved, from where it was seen: straight on, at rest, bouncing, falling, behind the bar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..data.sprites import BOUNCES, FADES_IN, FADES_OUT, FALLS, LINEAR, PASSES, STANDS, STOPS, ObjectDescription

_STILL = 0.3  # pixels per frame, below which an object rests
_HALF = 0.5  # of the speed, by which a straight motion may be off on either axis
_NEARLY_ALL = 0.9  # of the frames, for what must never happen but can be misread
_ON_ITS_WAY = 0.7  # share of the frames in which a motion must be seen
_NEAR_FLOOR = 8.0  # pixels; the fastest frames, before it meets the floor, are read with the largest errors
_AT_FLOOR = 3.0  # pixels from the lowest, or from the highest place, that are as good as there
_LEAST_STEPS = 3


@dataclass(frozen=True, eq=False)
class Track:
    """Where one object is in each frame.

    Attributes:
        path: float64 `[T, 2]`, (x, y) in pixels with jumps across the borders undone; NaN if it is hidden.
        height: Rows of the frames.
        width: Columns of the frames.
    """

    path: np.ndarray
    height: int
    width: int

    @classmethod
    def of(cls, positions: np.ndarray, height: int, width: int, pan: float = 0.0) -> "Track":
        """From positions in the frame `[T, 2]`; the shortest way is taken from one place where it is seen to the next.

        `pan` is how far the camera goes to the right with every frame, which is taken out.
        """
        positions = positions + np.arange(len(positions))[:, None] * [pan, 0.0]
        path, last = np.full_like(positions, np.nan), None
        for frame, place in enumerate(positions):
            if np.isnan(place[0]):
                continue
            path[frame] = place if last is None else last + shortest(place - last, height, width)
            last = path[frame]
        return cls(path, height, width)

    def part(self, first: int, end: int) -> "Track":
        """The frames from `first` to before `end`."""
        return Track(self.path[first:end], self.height, self.width)

    @property
    def steps(self) -> np.ndarray:
        """float64 `[S, 2]`: pixels per frame between consecutive frames in both of which it is seen."""
        steps = np.diff(self.path, axis=0)
        return steps[~np.isnan(steps[:, 0])]

    @property
    def velocity(self) -> np.ndarray:
        """float64 `[2]`: the middle pixels per frame, over up to eight frames; NaN if the object is hidden."""
        seen = np.flatnonzero(~np.isnan(self.path[:, 0]))
        if len(seen) < 2:
            return np.full(2, np.nan)
        span = min(8, (seen[-1] - seen[0]) // 2 + 1)
        pairs = [(a, a + span) for a in seen if a + span < len(self.path) and not np.isnan(self.path[a + span, 0])]
        if not pairs:
            return (self.path[seen[-1]] - self.path[seen[0]]) / (seen[-1] - seen[0])
        return np.median([(self.path[b] - self.path[a]) / span for a, b in pairs], axis=0)

    @property
    def jerk(self) -> float:
        """Root mean square third difference of the path, in pixels per frame cubed; NaN if too little is seen."""
        third = np.diff(self.path, n=3, axis=0)
        third = third[~np.isnan(third[:, 0])]
        return float(np.sqrt((third**2).sum(axis=1).mean())) if len(third) else float("nan")

    @property
    def frozen_share(self) -> float:
        """Share of the steps shorter than a tenth of a pixel; NaN if none is seen."""
        lengths = np.hypot(*self.steps.T)
        return float((lengths < 0.1).mean()) if len(lengths) else float("nan")


def shortest(apart: np.ndarray, height: int, width: int) -> np.ndarray:
    """The shortest way `[..., 2]` between two places that are `apart` on a frame whose borders meet."""
    size = np.array([width, height], dtype=np.float64)
    return (apart + size / 2) % size - size / 2


def heads(track: Track, motion: str, speeds: Sequence[float] = (1.0,)) -> bool:
    """Whether an object goes the way of a linear motion, at about one of the speeds; others than these are at rest."""
    velocity = track.velocity
    if np.isnan(velocity[0]):
        return False
    if motion not in LINEAR:
        return bool(np.hypot(*velocity) < _STILL)
    return any(bool((np.abs(velocity - np.array(LINEAR[motion]) * speed) < _HALF * speed).all()) for speed in speeds)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a motion may depend on.

    Attributes:
        bars: bool `[T]`, in which frames there is a bar.
        floor: y of the object's centre when it lies on the floor.
        opacity: float64 `[T]`, of the object, 0 where it is not seen.
        speeds: Pixels per frame and axis that objects of this world have.
    """

    bars: np.ndarray
    floor: float
    opacity: np.ndarray
    speeds: tuple[float, ...]


def moves_as_told(track: Track, told: ObjectDescription, around: Surroundings) -> bool:
    """Whether an object does what its caption says over a whole clip."""
    if len(track.steps) < _LEAST_STEPS:
        return False
    length = len(track.path)
    if told.then is not None:
        early, late = track.part(0, length // 3 + 1), track.part(-length // 3, length)
        return heads(early, told.motion, around.speeds) and heads(late, told.then, around.speeds)
    if told.motion in LINEAR or told.motion in (STANDS, STOPS):
        return _all_the_time(track, told.motion, around)
    return _OTHERS[told.motion](track, around)


def _all_the_time(track: Track, motion: str, around: Surroundings) -> bool:
    """Whether an object heads one way in each third of a clip in which enough of it is seen, and in two of them at least."""
    bounds = np.linspace(0, len(track.path), 4).round().astype(int)
    thirds = [track.part(first, end + 1) for first, end in pairwise(bounds)]
    judged = [part for part in thirds if len(part.steps) >= _LEAST_STEPS]
    return len(judged) >= 2 and all(heads(part, motion, around.speeds) for part in judged)


def _bounces(track: Track, around: Surroundings) -> bool:
    """Goes diagonally in most frames, and never through a border."""
    steps = np.abs(_smooth(track))
    diagonal = np.any([(np.abs(steps - speed) < _HALF * speed).all(axis=1) for speed in around.speeds], axis=0)
    seen = track.path[~np.isnan(track.path[:, 0])]
    inside = ((seen > -2) & (seen < np.array([track.width, track.height]) + 2)).all(axis=1)
    return bool(inside.mean() > _NEARLY_ALL and diagonal.mean() > _ON_ITS_WAY)


def _falls(track: Track, around: Surroundings) -> bool:
    """Sets off at its highest, goes straight down and reaches the floor, and not below."""
    seen = track.path[~np.isnan(track.path[:, 0])]
    upright = np.ptp(np.percentile(seen[:, 0], [5, 95])) < 6
    highest, lowest = np.percentile(seen[:, 1], [5, 100])
    first = np.argmax(seen[:, 1] > lowest - _AT_FLOOR)  # frame of the first arrival
    down = np.diff(seen[: first + 1, 1]) > -_STILL
    starts_high = seen[0, 1] < highest + _AT_FLOOR and first > 0 and down.mean() > _ON_ITS_WAY
    return bool(upright and starts_high and lowest - highest > 4 and abs(lowest - around.floor) < _NEAR_FLOOR)


def _passes(track: Track, around: Surroundings) -> bool:
    """Goes sideways, there is a bar, and it is seen at the end, too, on its way."""
    velocity = track.velocity
    sideways = any(abs(abs(velocity[0]) - speed) < _HALF * speed for speed in around.speeds) and abs(velocity[1]) < _STILL
    return bool(around.bars.mean() > _ON_ITS_WAY and sideways and not np.isnan(track.path[-len(track.path) // 4 :, 0]).all())


def _fades_out(track: Track, around: Surroundings) -> bool:
    """Stays where it is and becomes less."""
    return heads(track, STANDS) and _grows(around.opacity[::-1])


def _fades_in(track: Track, around: Surroundings) -> bool:
    """Stays where it is and becomes more."""
    return heads(track, STANDS) and _grows(around.opacity)


def _grows(opacity: np.ndarray) -> bool:
    """Whether the first quarter is less than half of the last one."""
    quarter = max(1, len(opacity) // 4)
    return bool(opacity[:quarter].mean() < 0.5 * opacity[-quarter:].mean())


_OTHERS: dict[str, Callable[[Track, Surroundings], bool]] = {
    BOUNCES: _bounces,
    FALLS: _falls,
    PASSES: _passes,
    FADES_OUT: _fades_out,
    FADES_IN: _fades_in,
}


def _smooth(track: Track, span: int = 2) -> np.ndarray:
    """Pixels per frame over `span` frames `[S, 2]`, which evens out a turn in the middle of a step."""
    steps = (track.path[span:] - track.path[:-span]) / span
    return steps[~np.isnan(steps[:, 0])]
