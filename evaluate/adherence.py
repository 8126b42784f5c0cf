"""Whether a clip shows what its caption says: objects, colours, shapes, sizes, motions, number."""

from dataclasses import dataclass

import numpy as np

from ..data.captions import ObjectDescription, camera_pan, parse_caption
from ..data.motions import floor_level
from ..data.scenes import SpriteObject
from ..data.shapes import Pen
from ..data.sprites import PAN_SPEED
from .motion import Track, moves_as_told
from .reading import Reading, ReadObject
from .templates import Templates


@dataclass(frozen=True)
class ObjectVerdict:
    """What became of one object of a caption.

    Attributes:
        told: What the caption says.
        colour: Whether there is an object of its colour.
        shape: Whether that has its shape.
        size: Whether it has its size; NaN where the caption does not say.
        motion: Whether it moves as told.
        same_look: In what share of the frames in which its shape can be judged it is the same one.
        misfit: How far its best picture is off, on average, 0 to 1.
        jerk: Pixels per frame cubed.
        frozen: Share of the steps in which it does not move.
    """

    told: ObjectDescription
    colour: bool
    shape: bool
    size: float
    motion: bool
    same_look: float
    misfit: float
    jerk: float
    frozen: float

    @property
    def right(self) -> bool:
        """Whether colour, shape and size are."""
        return self.colour and self.shape and self.size != 0.0


@dataclass(frozen=True)
class ClipVerdict:
    """What became of a caption.

    Attributes:
        objects: One for each that the caption names.
        count: Whether there are as many objects as it names.
    """

    objects: tuple[ObjectVerdict, ...]
    count: bool

    @property
    def right(self) -> bool:
        """Whether everything is."""
        return self.count and all(item.right and item.motion for item in self.objects)

    @property
    def note(self) -> str:
        """What is wrong, in a few words."""
        wrong = [] if self.count else ["number"]
        for item in self.objects:
            marks = {"colour": item.colour, "shape": item.shape, "size": item.size != 0.0, "motion": item.motion}
            wrong += [f"{name} of the {item.told.colour} {item.told.shape}" for name, good in marks.items() if not good]
        return f"wrong: {', '.join(wrong)}" if wrong else "as told"


class Judge:
    """Compares readings with captions.

    Args:
        templates: The looks of the world, for the level of the floor.
        speed: Pixels per frame and axis of motions that have a speed.
    """

    def __init__(self, templates: Templates, speed: float = 1.0):
        self.templates, self.speed = templates, speed

    def judge(self, reading: Reading, caption: str) -> ClipVerdict:
        """The verdict on a clip with one caption.

        Raises:
            ValueError: The caption is not of the sprite world.
        """
        told, pan = parse_caption(caption), camera_pan(caption) * PAN_SPEED
        return ClipVerdict(tuple(self.judge_object(reading, item, pan) for item in told), reading.count == len(told))

    def judge_object(self, reading: Reading, told: ObjectDescription, pan: float = 0.0) -> ObjectVerdict:
        """The verdict on one object, while the camera goes `pan` pixels to the right with every frame."""
        found = reading.find(told.colour)
        if found is None:
            missing = float("nan")
            return ObjectVerdict(told, False, False, 0.0 if told.size else missing, False, missing, missing, missing, missing)
        track = Track.of(found.positions, reading.height, reading.width, pan)
        bars = np.array([bar is not None for bar in reading.bars])
        return ObjectVerdict(
            told=told,
            colour=True,
            shape=found.look.shape == told.shape,
            size=float("nan") if told.size is None else float(found.look.size == told.size),
            motion=moves_as_told(track, told, bars, self.floor(found, reading.height), self.speed),
            same_look=same_look(found),
            misfit=_mean(found.misfit),
            jerk=track.jerk,
            frozen=track.frozen_share,
        )

    def floor(self, found: ReadObject, height: int) -> float:
        """y of the centre of an object that lies on the floor."""
        radius = self.templates.radii[("small", "large").index(found.look.size)]
        item = SpriteObject(
            found.look.shape, found.colour, found.look.size, radius, "falls", (0, 0), self.speed, (0, 0), Pen(0.1, 0.165)
        )
        return floor_level(item, height)


def same_look(found: ReadObject) -> float:
    """In what share of the frames that can be judged an object has its look; NaN where none can."""
    judged = [look for look in found.looks if look is not None]
    return float(np.mean([look == found.look for look in judged])) if judged else float("nan")


def _mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")
