"""Tiny environments for tests, registered when this module is imported: "small_worlds:Shown-v0"."""

import os
from pathlib import Path

import gymnasium
import numpy as np

NAMES = ["noop", "LEFT", "RIGHT"]


class Shown(gymnasium.Env):
    """Its picture of 8x8 shows the action of the last step (rows 0 to 3), the place (4, 5) and the seed (6, 7).

    Args:
        render_mode: As Gymnasium has it.
        ends_at: The step that ends it.
        crashes_at: The step that raises, if any.
        dies_at: The step that ends the process, as long as there is a file `alive`, which it removes.
        alive: See `dies_at`.
        fails: What fails: "close" raises; at the step `crashes_at`, "exit" ends the process and "long" says much.
        action_space: Another one than `Discrete(3)`.
        marks: A folder in which each environment leaves an empty file once it is made, and another one once it is closed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 24}  # noqa: RUF012 - as Gymnasium has it
    observation_space = gymnasium.spaces.Discrete(256)

    def __init__(
        self, render_mode=None, ends_at=10**9, crashes_at=None, dies_at=None, alive="", fails="", action_space=None, marks=""
    ):
        self.render_mode, self.action_space = render_mode, action_space or gymnasium.spaces.Discrete(3)
        self._fails, self._tight = fails, " tight" * 1000 * (fails == "long")
        self._ends_at, self._crashes_at, self._dies_at, self._alive = ends_at, crashes_at, dies_at, Path(alive)
        self._marks = marks
        self._mark("opened")

    def get_action_meanings(self):
        return NAMES

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._count, self._place, self._last, self._tint = 0, 100, 0, int(self.np_random.integers(256))
        return self._place, {}

    def step(self, action):
        self._count += 1
        if self._count == self._crashes_at:
            raise SystemExit("out") if self._fails == "exit" else RuntimeError("the motor is stuck" + self._tight)
        if self._count == self._dies_at and self._alive.is_file():
            self._alive.unlink()
            os._exit(3)
        self._last = int(action)
        self._place += {0: 0, 1: -1, 2: 1}[self._last] + int(self.np_random.integers(2))
        return self._place, float(self._last), self._count >= self._ends_at, False, {}

    def _mark(self, what):
        if self._marks:
            Path(self._marks, f"{what}_{os.getpid()}_{id(self)}").touch()

    def close(self):
        self._mark("closed")
        if self._fails == "close":
            raise RuntimeError("the door is stuck")

    def render(self):
        picture = np.empty((8, 8, 3), np.uint8)
        picture[:4], picture[4:6], picture[6:] = self._last * 100, self._place % 256, self._tint
        return picture


class Told(Shown):
    """Takes words."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode, action_space=gymnasium.spaces.Text(5))

    get_action_meanings = None


gymnasium.register("Shown-v0", Shown)
gymnasium.register("Told-v0", Told)
ID = "small_worlds:Shown-v0"


def action_shown(frame) -> int:
    """The action that a frame of `Shown` shows."""
    return round(int(frame[0, 0, 0]) / 100)


def right_if_bright(frame, previous, rng, world):
    """A policy."""
    return "right" if frame[4, 0, 0] % 2 else ""


class Fails:
    """A policy that raises at its fifth frame."""

    def __init__(self):
        self._count = 0

    def __call__(self, frame, previous, rng, world):
        self._count += 1
        if self._count == 5:
            raise KeyError("nerve")
        return {"left": 1}


class Unborn:
    """A policy that cannot be made."""

    def __init__(self):
        raise LookupError("no weights")


def leaves(frame, previous, rng, world):
    """A policy that ends the process at its third frame."""
    if world.num_frames == 3:
        raise SystemExit(3)
    return "left"


def scribbles(frame, previous, rng, world):
    """A policy that changes what it gets, and what it gave."""
    frame[:] = 7
    previous[0] = 1 - previous[0]
    return previous


class Mumbles:
    """A policy that gives at its third frame what is no action."""

    def __init__(self):
        self._count = 0

    def __call__(self, frame, previous, rng, world):
        self._count += 1
        return "fire" if self._count == 3 else "left"


def silent(frame, previous, rng, world):
    """A policy that does not say what it does."""
