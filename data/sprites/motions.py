"""How sprites move: each motion is a function from an object and a frame size to a path."""

from collections.abc import Callable

import numpy as np

from .scenes import PHASES, SpriteObject

LINEAR: dict[str, tuple[int, int]] = {
    "moves left": (-1, 0),
    "moves right": (1, 0),
    "moves up": (0, -1),
    "moves down": (0, 1),
    "moves up and left": (-1, -1),
    "moves up and right": (1, -1),
    "moves down and left": (-1, 1),
    "moves down and right": (1, 1),
}
STOPS = "stops"
STANDS, BOUNCES, FALLS, PASSES = "stands still", "bounces", "falls", "passes behind a bar"
FADES_OUT, FADES_IN = "fades out", "fades in"

GRAVITY = 0.12
"""Pixels per frame and frame."""
RESTITUTION = 0.7
"""Share of its speed that a falling object keeps at the floor."""
FADE_START, FADE_FRAMES = 4, 24

_REST_SPEED = 0.25  # pixels per frame after a bounce; below it lies a hop of a quarter of a pixel


def trajectory(item: SpriteObject, num_frames: int, height: int, width: int) -> np.ndarray:
    """Where an object is in each frame, float64 `[T, 2]` (x, y); it may lie outside of the frame, to be wrapped."""
    return _PATHS[item.motion](item, np.arange(num_frames), height, width)


def opacity(item: SpriteObject, num_frames: int) -> np.ndarray:
    """The alpha of an object in each frame, float64 `[T]` in [0, 1]."""
    progress = np.clip((np.arange(num_frames) - FADE_START) / FADE_FRAMES, 0, 1)
    return {FADES_OUT: 1 - progress, FADES_IN: progress}.get(item.motion, np.ones(num_frames))


def bounce_limits(item: SpriteObject, length: int) -> tuple[int, int]:
    """The first and last whole coordinate at which an object, and a circle of its radius, fit in `length` pixels."""
    reach = max(item.outline.reach, 1) * item.radius
    return int(np.ceil(reach - 0.5)), int(np.floor(length - 0.5 - reach))


def floor_level(item: SpriteObject, height: int) -> float:
    """y of the centre of an object that lies on the floor, the lower border of the frame, as it can be drawn."""
    return float(np.floor((height - 0.5 - item.outline.bottom * item.radius) * PHASES)) / PHASES


def _stay(item, frames, height, width):
    return np.tile(np.array(item.start, dtype=np.float64), (len(frames), 1))


def _head(item, frames, height, width):
    return np.array(item.start) + frames[:, None] * np.array(item.heading) * item.speed


def _go(item, frames, height, width):
    """Straight on; from the frame `switch` on the step from the frame before is that of `then`."""
    steps = np.tile(np.array(LINEAR[item.motion], dtype=np.float64), (len(frames), 1))
    if item.switch is not None:
        steps[item.switch :] = LINEAR.get(item.then, (0, 0))
    steps[0] = 0
    return np.array(item.start) + np.cumsum(steps, axis=0) * item.speed


def _bounce(item, frames, height, width):
    """Diagonal, each axis folded back at its limits, so that the path has no error that could add up."""
    path = _head(item, frames, height, width)
    for axis, length in enumerate((width, height)):
        first, last = bounce_limits(item, length)
        phase = (path[:, axis] - first) % (2 * (last - first))
        path[:, axis] = first + np.minimum(phase, 2 * (last - first) - phase)
    return path


def _fall(item, frames, height, width):
    """Parabolas between the times at which the object meets the floor, in continuous time."""
    path = _stay(item, frames, height, width)
    floor = floor_level(item, height)
    drop = floor - item.start[1]
    meets, speed = np.sqrt(2 * drop / GRAVITY), np.sqrt(2 * drop * GRAVITY)
    path[:, 1] = np.where(frames < meets, item.start[1] + GRAVITY / 2 * frames**2, floor)
    while (speed := speed * RESTITUTION) > _REST_SPEED and meets < frames[-1]:
        since, hop = frames - meets, 2 * speed / GRAVITY
        inside = (since >= 0) & (since < hop)
        path[inside, 1] = floor - (speed * since - GRAVITY / 2 * since**2)[inside]
        meets += hop
    return path


_PATHS: dict[str, Callable[..., np.ndarray]] = {
    **{motion: _go for motion in LINEAR},
    STANDS: _stay,
    BOUNCES: _bounce,
    FALLS: _fall,
    PASSES: _head,
    FADES_OUT: _stay,
    FADES_IN: _stay,
}
MOTIONS: tuple[str, ...] = tuple(_PATHS)
