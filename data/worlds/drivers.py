"""Who drives and walks in the recordings of the shipped worlds: policies that see more than the picture, and make mistakes.

A world model learns what a key does only where keys are pressed at the wrong moment too. So `Driver` lets go of the wheel now and
then and holds random keys, and comes back to the track. `Weaver` is another hand, for recordings that nothing was trained on.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .policies import Held
from .spaces import Row

if TYPE_CHECKING:
    from .environments import World

Frame = NDArray[np.uint8]


class Driver:
    """Drives CarRacing along its track; for a share of the time it holds random keys instead.

    Each episode has a driver of its own: how fast, how far to the side, how early it steers.

    Args:
        wild: The share of the time under random keys.
        seconds: How long they last, in the mean.
    """

    def __init__(self, wild: float = 0.25, seconds: float = 1.0):
        self._share, self._seconds = wild, seconds
        self._keys = Held({"gas": 0.5, "brake": 0.12}, seconds=0.4)
        self._is_wild = False
        self._style: tuple[float, float, float] | None = None

    def __call__(self, frame: Frame, previous: Row, rng: Generator, world: "World") -> Any:
        if self._style is None:
            self._style = rng.uniform(25, 65), rng.uniform(-3, 3), rng.uniform(0.05, 0.2)
        ends = 1 / (self._seconds * world.spec.fps)
        begins = ends * self._share / max(1 - self._share, 1e-6)
        if rng.random() < (ends if self._is_wild else begins):
            self._is_wild = not self._is_wild
        wild = self._keys(frame, previous, rng, world)
        return wild if self._is_wild else steer(Road(world), *self._style)


class Weaver:
    """Drives CarRacing in waves from side to side, and stops now and then: another hand than `Driver`, without random keys."""

    def __init__(self) -> None:
        self._count, self._rest = 0, 0
        self._wave: tuple[float, float, float] | None = None

    def __call__(self, frame: Frame, previous: Row, rng: Generator, world: "World") -> Any:
        if self._wave is None:
            self._wave = rng.uniform(2, 5), rng.uniform(4, 9), rng.uniform(0, 2 * math.pi)
        wide, seconds, phase = self._wave
        self._count += 1
        self._rest = max(0, self._rest - 1)
        if rng.random() < 0.08 / world.spec.fps:
            self._rest = int(rng.uniform(1, 3) * world.spec.fps)
        side = wide * math.sin(phase + 2 * math.pi * self._count / (seconds * world.spec.fps))
        return steer(Road(world), 0.0 if self._rest else 45.0, side, 0.06)


class Road:
    """Where the car of a CarRacing world is on its track.

    Raises:
        ValueError: The world has no track.
    """

    def __init__(self, world: "World"):
        env: Any = world.env.unwrapped
        if getattr(env, "track", None) is None or getattr(env, "car", None) is None:
            raise ValueError(f"got {world.spec.env_id}, which has no track to drive on; this policy drives CarRacing")
        hull = env.car.hull
        self._centre = np.array([point[1:] for point in env.track])  # heading, x, y
        self._place, self._angle = np.array(hull.position), float(hull.angle)
        self._nearest = int(((self._centre[:, 1:] - self._place) ** 2).sum(1).argmin())
        self.speed = float(np.hypot(*hull.linearVelocity))

    def turn_to(self, tiles: int, side: float) -> float:
        """Radians to the left between the car and a point so many tiles ahead and so far to the right of the centre."""
        heading, x, y = self._centre[(self._nearest + tiles) % len(self._centre)]
        aim = np.array([x + side * math.cos(heading), y + side * math.sin(heading)]) - self._place
        turn = math.atan2(-aim[0], aim[1]) - self._angle
        return (turn + math.pi) % (2 * math.pi) - math.pi


def steer(road: Road, speed: float, side: float, slack: float) -> str:
    """The keys that lead a car along a road.

    Args:
        road: Where the car is.
        speed: How fast to go on a straight road.
        side: How far to keep to the right of the centre; the road is 6.7 wide to each side.
        slack: Radians that it may be off before a key is pressed.
    """
    turn = road.turn_to(3 + int(road.speed / 15), side)
    bend = abs(road.turn_to(9, side))
    wanted = speed / (1 + 1.5 * bend)
    keys = ["left"] if turn > slack else ["right"] if turn < -slack else []
    if road.speed < wanted:
        keys.append("gas")
    elif road.speed > wanted + 12 or speed == 0:
        keys.append("brake")
    return "+".join(keys)


class Walker:
    """Walks and turns in a world seen from within; if nothing moves any more, it turns away. Another hand than random keys.

    For worlds with the buttons "forward", "left" and "right".
    """

    def __init__(self) -> None:
        self._turn, self._left = "", 0
        self._before: NDArray[np.float32] | None = None

    def __call__(self, frame: Frame, previous: Row, rng: Generator, world: "World") -> Any:
        names = world.action_space.names
        seen = frame.astype(np.float32)
        moved = 255.0 if self._before is None else float(np.abs(seen - self._before).mean())
        self._before = seen
        self._left -= 1
        if self._left <= 0:
            stuck = moved < 2 and not self._turn
            self._turn = str(rng.choice(["left", "right"])) if stuck or rng.random() < 0.35 else ""
            self._left = int(rng.uniform(0.4, 1.4) * world.spec.fps)
        walks = "forward" in names and not (self._turn and rng.random() < 0.5)
        return "+".join(key for key in ("forward" if walks else "", self._turn) if key)
