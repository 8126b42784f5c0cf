"""Scenes drawn by chance: what is in them, where it starts, and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .captions import SIZES
from .combinations import COMBINATIONS, is_held_out
from .motions import (
    BOUNCES,
    FADES_IN,
    FADES_OUT,
    FALLS,
    LINEAR,
    PASSES,
    STANDS,
    STOPS,
    bounce_limits,
    floor_level,
    opacity,
    trajectory,
)
from .painting import Blobs, Gradient
from .scenes import Background, Scene, SpriteObject
from .shapes import COLOURS, DIGITS, PLAIN, Pen

MOTION_SHARES: dict[str, float] = {
    **{motion: 50 / 8 for motion in LINEAR},
    STANDS: 8,
    BOUNCES: 14,
    FALLS: 10,
    PASSES: 10,
    FADES_OUT: 4,
    FADES_IN: 4,
}
"""How often each motion is drawn, in percent of objects."""
PAN_SPEED = 0.5
"""Pixels per frame of a camera that pans."""
TONES = ((9, 9, 12), (10, 16, 42), (9, 34, 18), (38, 38, 40))
"""Near black, navy, dark green, dark grey."""

_SHARE_DIGITS = 0.3
_SHARE_THEN, _SHARE_TIMELINE = 0.4, 0.5
_SHARE_UNNAMED_SIZE, _SHARE_GRADIENT, _SHARE_LIGHT, _SHARE_PAN = 0.25, 0.3, 0.05, 0.05
_LAST_LIGHT = 0.45
_APART, _TRIES = 2, 40  # pixels between two objects at first; how often a second one is drawn before it is left out


@dataclass(frozen=True)
class SceneSettings:
    """What of a world's settings decides what is in its scenes; see `SpriteWorld`."""

    num_frames: int
    height: int
    width: int
    speeds: tuple[float, ...]
    radii: tuple[float, float]
    shapes: tuple[str, ...]
    motions: tuple[str, ...]
    two_objects: float
    combinations: str


def draw_scene(settings: SceneSettings, rng: np.random.Generator) -> Scene:
    """A scene of a world with these settings; all chance is the generator's."""
    return _Draw(settings, rng).scene()


class _Draw:
    """One scene being drawn: the bar and the camera of the scene decide what else can be in it."""

    def __init__(self, world: SceneSettings, rng: np.random.Generator):
        self.world, self.rng = world, rng
        self.bar: tuple[int, int] | None = None
        self.camera_step = 0.0

    def scene(self) -> Scene:
        world, frames = self.world, np.arange(self.world.num_frames)
        fate = self.rng.random()
        fades = fate < _SHARE_LIGHT and world.num_frames > 1
        if _SHARE_LIGHT <= fate < _SHARE_LIGHT + _SHARE_PAN and world.num_frames > 1:
            self.camera_step = PAN_SPEED * self.sign()
        objects = self.objects()
        camera = np.stack([frames * self.camera_step, np.zeros(len(frames))], axis=1)
        paths = np.stack([trajectory(item, len(frames), world.height, world.width) for item in objects])
        return Scene(
            objects=objects,
            positions=(paths - camera) % (world.width, world.height),
            alpha=np.stack([opacity(item, len(frames)) for item in objects]),
            bar=self.bar,
            background=self.background(),
            light=1 - (1 - _LAST_LIGHT) * frames / frames[-1] if fades else np.ones(len(frames)),
            camera=camera,
            height=world.height,
            width=world.width,
            timeline=any(item.then for item in objects) and self.happens(_SHARE_TIMELINE),
        )

    def objects(self) -> tuple[SpriteObject, ...]:
        first = self.object()
        if not self.happens(self.world.two_objects):
            return (first,)
        bar = self.bar
        for _ in range(_TRIES):
            self.bar = bar
            second = self.object()
            if self.differ(first, second):
                return (first, second)
        self.bar = bar
        return (first,)

    def object(self) -> SpriteObject:
        """An object of the world's shapes and combinations."""
        bar = self.bar
        while True:
            self.bar = bar
            item = self.any_object()
            if self.belongs(item):
                return item

    def belongs(self, item: SpriteObject) -> bool:
        """Whether the world has such objects."""
        wanted = COMBINATIONS[self.world.combinations]
        motions = (item.motion, *([item.then] if item.then in LINEAR else []))
        known = item.shape in self.world.shapes and set(motions) <= set(self.world.motions)
        return known and (wanted is None or all(is_held_out(item.shape, item.colour, m) == wanted for m in motions))

    def any_object(self) -> SpriteObject:
        large = self.happens(0.5)
        looks = dict(
            shape=self.pick(DIGITS if self.happens(_SHARE_DIGITS) else PLAIN),
            colour=self.pick(tuple(COLOURS)),
            size=SIZES[large],
            radius=self.world.radii[large],
            pen=Pen(slant=self.rng.uniform(-0.1, 0.3), thickness=self.rng.uniform(0.14, 0.19)),
            names_size=not self.happens(_SHARE_UNNAMED_SIZE),
            motion=self.motion(),
            speed=self.pick(self.world.speeds),
        )
        return self.placed(looks)

    def placed(self, looks: dict) -> SpriteObject:
        """Gives the object its start and heading, which depend on its motion, and what it does then."""
        world, motion = self.world, looks["motion"]
        anywhere = (int(self.rng.integers(world.width)), int(self.rng.integers(world.height)))
        item = SpriteObject(**looks, start=anywhere, heading=LINEAR.get(motion, (0, 0)))
        if motion in LINEAR:
            return self.with_then(item)
        limits = [bounce_limits(item, length) for length in (world.width, world.height)]
        x, y = (int(self.rng.integers(first, last + 1)) for first, last in limits)
        heading = (self.sign(), self.sign()) if motion == BOUNCES else (0, 0)
        if motion == FALLS:
            top = limits[1][0]
            y = int(self.rng.integers(top, max(top + 1, int(0.65 * floor_level(item, world.height)))))
        if motion == PASSES:
            heading = (self.sign(), 0)
            x = self.put_bar(item.radius, heading[0])
        return SpriteObject(**looks, start=(x, y), heading=heading)

    def put_bar(self, radius: float, direction: int) -> int:
        """Puts the bar somewhere and returns the column, short of it, from which an object sets off towards it."""
        width = int(self.rng.integers(12, 15))
        left = int(self.rng.integers(self.world.width // 5, self.world.width - self.world.width // 5 - width + 1))
        self.bar = (left, left + width)
        gap = int(np.ceil(radius)) + int(self.rng.integers(1, 5))
        return (left - gap if direction > 0 else left + width - 1 + gap) % self.world.width

    def with_then(self, item: SpriteObject) -> SpriteObject:
        """Lets some objects do something else from a frame 1 + 4k in the middle third on."""
        length = self.world.num_frames
        switches = [frame for frame in range(1, length, 4) if length <= 3 * frame <= 2 * length]
        if not switches or not self.happens(_SHARE_THEN):
            return item
        others = [motion for motion in LINEAR if motion != item.motion]
        then = STOPS if self.happens(0.5) else self.pick(others)
        return replace(item, then=then, switch=self.pick(switches))

    def motion(self) -> str:
        """A scene has at most one bar. Neither bars nor things that mind the borders go with a camera that pans."""
        barred = {PASSES, BOUNCES} if self.camera_step else {PASSES} if self.bar else set()
        shares = {motion: share for motion, share in MOTION_SHARES.items() if motion in set(self.world.motions) - barred}
        edges = np.cumsum(list(shares.values()))
        return list(shares)[int(np.searchsorted(edges, self.rng.random() * edges[-1], side="right"))]

    def differ(self, first: SpriteObject, second: SpriteObject) -> bool:
        """Whether two objects differ in colour and shape, and start apart, even across the borders."""
        size = np.array([self.world.width, self.world.height])
        apart = np.abs((np.subtract(first.start, second.start) + size / 2) % size - size / 2)
        far = np.hypot(*apart) >= first.radius + second.radius + _APART
        return bool(far) and first.colour != second.colour and first.shape != second.shape

    def background(self) -> Background:
        tone = self.pick(TONES)
        if self.camera_step:
            return self.blobs(tone)
        last = tuple(0.4 * channel for channel in tone) if self.happens(_SHARE_GRADIENT) else tone
        first, last = (tone, last) if self.happens(0.5) else (last, tone)
        return Gradient(first, last, vertical=self.happens(0.5))

    def blobs(self, tone: tuple[int, int, int]) -> Blobs:
        size = self.world.width
        spots = self.rng.uniform((0, 0, size / 16), (size, size, size / 9), size=(7, 3))
        tints = self.rng.uniform(8, 34, size=(7, 3))
        return Blobs(tone, tuple(map(tuple, spots)), tuple(map(tuple, tints)))

    def happens(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def sign(self) -> int:
        return 1 if self.happens(0.5) else -1

    def pick(self, choices: Sequence):
        return choices[int(self.rng.integers(len(choices)))]
