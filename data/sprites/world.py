"""SpriteWorld: an endless source of captioned clips of which everything is known."""

import numpy as np
import torch

from ..clips import CaptionedClip, ClipSource
from .captions import caption_scene
from .combinations import COMBINATIONS, has_combinations
from .drawing import SceneSettings, draw_scene
from .motions import BOUNCES, MOTIONS, PASSES, STANDS
from .painting import render
from .scenes import Scene
from .shapes import MAX_REACH, SHAPES


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
        settings = SceneSettings(
            self.num_frames,
            self.height,
            self.width,
            self.speeds,
            self.radii,
            self.shapes,
            self.motions,
            self.two_objects,
            self.combinations,
        )
        return draw_scene(settings, np.random.Generator(np.random.PCG64([self.seed, int(index)])))


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
    if not isinstance(fps, int | float | np.number) or not fps > 0:
        raise ValueError(f"fps is {fps!r}; clips want a rate above 0 frames per second; pass such as fps=12.0")
    if not speeds or not all(speed > 0 for speed in speeds):
        raise ValueError(f"speeds are {speeds!r}; wanted pixels per frame, each above 0; pass such as (1.0, 2.0)")
    largest = (size / 2 - 2) / MAX_REACH / 1.2
    if len(radii) != 2 or not 2 <= radii[0] < radii[1] <= largest:
        raise ValueError(
            f"radii are {radii!r}; wanted 2 <= small < large <= {largest:.1f}, which fit a frame of {size} pixels; "
            "pass such as (5.5, 9.0)"
        )
