"""SpriteWorld: an endless source of captioned clips of which everything is known."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import torch

from .captions import SIZES, caption_scene
from .clips import CaptionedClip, ClipSource
from .motions import (
    BOUNCES,
    FADES_IN,
    FADES_OUT,
    FALLS,
    LINEAR,
    MOTIONS,
    PASSES,
    STANDS,
    STOPS,
    bounce_limits,
    floor_level,
    opacity,
    trajectory,
)
from .painting import Blobs, Gradient, render
from .scenes import Background, Scene, SpriteObject
from .shapes import COLOURS, DIGITS, MAX_REACH, PLAIN, SHAPES, Pen

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
_HELD_OUT_OF = 10
_APART, _TRIES = 2, 40  # pixels between two objects at first; how often a second one is drawn before it is left out


COMBINATIONS = {"all": None, "seen": False, "unseen": True}
"""The choices of `SpriteWorld(combinations=...)`: whether its combinations are held out, or both kinds."""


def is_held_out(shape: str, colour: str, motion: str) -> bool:
    """Whether a combination is one of the tenth that `SpriteWorld(combinations="seen")` leaves out.

    The sum of the three places in their lists decides, so that each two of the three words still meet.
    """
    place = SHAPES.index(shape) + 3 * tuple(COLOURS).index(colour) + 7 * MOTIONS.index(motion)
    return place % _HELD_OUT_OF == 0


def has_combinations(shapes: Sequence[str], motions: Sequence[str], combinations: str) -> bool:
    """Whether a world of these shapes and motions has any object of the "seen" or the "unseen" combinations in every scene."""
    wanted = COMBINATIONS[combinations]
    free = set(motions) - {PASSES, BOUNCES}  # which not every scene allows
    return wanted is None or any(is_held_out(*words) == wanted for words in product(shapes, COLOURS, free))


class SpriteWorld(ClipSource):
    """Shapes and handwritten-style digits that move, turn, bounce, fall, hide and fade, in clips with known truth.

    Item i is a pure function of (seed, i, settings), made in a few milliseconds; nothing is stored. Linear motions
    start at whole pixels and wrap around the borders, so that at a whole speed every frame is exact.

    Args:
        num_clips: Length of the source, >= 1. Clips do not depend on it.
        num_frames: Frames in each clip, >= 1.
        size: Rows and columns, >= 32.
        fps: Frames per second, > 0; motions are set per frame and do not depend on it.
        seed: >= 0; each seed is another world.
        speeds: Pixels per frame and axis to choose from, each > 0.
        radii: Of small and of large objects, in pixels, the small one first.
        shapes: Which of `SHAPES` there are.
        motions: Which of `MOTIONS` there are; some other than passing behind a bar and bouncing, which not every scene allows.
        two_objects: Share of the scenes that are to have two objects, in [0, 1].
        combinations: "all" combinations of shape, colour and motion, the "seen" nine in ten, or the "unseen" rest: a model
            trained on the seen ones shows on the unseen ones whether it can combine what it knows; see `is_held_out`.

    Raises:
        ValueError: If a setting is out of its range.
    """

    def __init__(
        self,
        num_clips: int = 100_000,
        num_frames: int = 33,
        size: int = 64,
        fps: float = 12.0,
        seed: int = 0,
        speeds: tuple[float, ...] = (1.0,),
        radii: tuple[float, float] = (5.5, 9.0),
        shapes: tuple[str, ...] = SHAPES,
        motions: tuple[str, ...] = MOTIONS,
        two_objects: float = 0.4,
        combinations: str = "all",
    ):
        _check_settings(num_clips, num_frames, size, fps, seed, speeds, radii)
        _check_kinds(shapes, motions, two_objects, combinations)
        self.num_clips, self.num_frames, self.seed = num_clips, num_frames, seed
        self.height = self.width = size
        self.fps = float(fps)
        self.speeds = tuple(map(float, speeds))
        self.radii = (float(radii[0]), float(radii[1]))
        self.shapes, self.motions, self.two_objects = tuple(shapes), tuple(motions), float(two_objects)
        self.combinations = combinations

    def __len__(self) -> int:
        return self.num_clips

    def __getitem__(self, index: int) -> CaptionedClip:
        """Clip `index` with its `Scene`; raises IndexError outside of `[0, num_clips)`."""
        scene = self.scene(index)
        frames = torch.from_numpy(render(scene))
        return CaptionedClip(frames, caption_scene(scene), self.fps, f"sprites/{self.seed}/{index}", scene)

    def scene(self, index: int) -> Scene:
        """What clip `index` shows, without its pixels; raises IndexError outside of `[0, num_clips)`."""
        if not 0 <= index < self.num_clips:
            raise IndexError(
                f"clip {index} of a SpriteWorld of {self.num_clips}; wanted 0 to {self.num_clips - 1}; "
                "make it with a larger num_clips"
            )
        return _SceneDraw(self, np.random.Generator(np.random.PCG64([self.seed, int(index)]))).scene()


class _SceneDraw:
    """One scene being drawn from the world's settings and a generator of its own."""

    def __init__(self, world: SpriteWorld, rng: np.random.Generator):
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
        """Bars are one a scene, and neither they nor things that mind the borders go with a camera that pans."""
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


def _check_kinds(shapes, motions, two_objects, combinations) -> None:
    for name, values, known in (("shapes", shapes, SHAPES), ("motions", motions, MOTIONS)):
        strange = [value for value in values if value not in known]
        if strange or not values:
            raise ValueError(f"{name} are {tuple(values)!r}; wanted some of {', '.join(known)}; pass such as {known[:2]!r}")
    if not set(motions) - {PASSES, BOUNCES}:
        raise ValueError(
            f"motions are {tuple(motions)!r}; wanted another one than these, which not every scene allows; add such as {STANDS!r}"
        )
    if not 0 <= two_objects <= 1:
        raise ValueError(f"two_objects is {two_objects!r}; wanted a share from 0 to 1; pass such as 0.4")
    if two_objects and len(set(shapes)) < 2:
        raise ValueError(
            f"shapes are {tuple(shapes)!r}; wanted two, since two objects differ in shape; pass two_objects=0 for one"
        )
    if combinations not in COMBINATIONS:
        raise ValueError(f"combinations are {combinations!r}; wanted one of {', '.join(COMBINATIONS)}; pass such as 'seen'")
    if not has_combinations(shapes, motions, combinations):
        raise ValueError(
            f"combinations are {combinations!r}, of {', '.join(shapes)} with {', '.join(motions)}; wanted one at least that "
            "every scene allows; pass more shapes, more motions, or combinations='all'"
        )


def _check_settings(num_clips, num_frames, size, fps, seed, speeds, radii) -> None:
    counts = {"num_clips": (num_clips, 1), "num_frames": (num_frames, 1), "size": (size, 32), "seed": (seed, 0)}
    for name, (value, least) in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} is {value!r}; SpriteWorld wants a whole number >= {least}; pass such a {name}")
    if not fps > 0:
        raise ValueError(f"fps is {fps!r}; clips want a rate above 0 frames per second; pass such as fps=12.0")
    if not speeds or not all(speed > 0 for speed in speeds):
        raise ValueError(f"speeds are {speeds!r}; wanted pixels per frame, each above 0; pass such as (1.0, 2.0)")
    largest = (size / 2 - 2) / MAX_REACH / 1.2
    if len(radii) != 2 or not 2 <= radii[0] < radii[1] <= largest:
        raise ValueError(
            f"radii are {radii!r}; wanted 2 <= small < large <= {largest:.1f}, which fit a frame of {size} pixels; "
            "pass such as (5.5, 9.0)"
        )
