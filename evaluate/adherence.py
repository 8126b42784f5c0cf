"""Whether a clip shows what its caption says: objects, colours, shapes, sizes, motions, number."""

from dataclasses import dataclass

import numpy as np

from ..data.sprites import (
    FADES_IN,
    FADES_OUT,
    FALLS,
    PAN_SPEED,
    PASSES,
    ObjectDescription,
    Pen,
    SpriteObject,
    camera_pan,
    floor_level,
    parse_caption,
)
from .motion import Surroundings, Track, moves_as_told
from .reading import Reading, ReadObject
from .templates import Templates

_MOSTLY, _CROSSED, _HALF = 0.9, 0.7, 0.5
_PLACED = 0.6  # share of an object that must be seen for its place to count
_LEAST_SEEN = {FADES_IN: _HALF, FADES_OUT: _HALF, PASSES: 0.35}
"""Share of a clip in which an object has to be seen, if its motion says that it is not seen throughout."""


@dataclass(frozen=True)
class ObjectVerdict:
    """What became of one object of a caption.

    Attributes:
        told: What the caption says.
        colour: Whether there is an object of its colour, for as long as there should be.
        shape: Whether that object has its shape.
        size: Whether it has its size; NaN if the caption does not say.
        motion: Whether it moves as told.
        same_look: In what share of the frames in which its shape can be judged it is the same one; 0 if there is none.
        misfit: How far its best picture is off, on average, 0 to 1; 1 if there is none.
        jerk: Pixels per frame cubed; NaN if there is none.
        frozen: Share of the steps in which it does not move; 1 if there is none.
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
        """Whether colour, shape and size are right."""
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
        """Whether everything is right."""
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
        speeds: Pixels per frame and axis that objects of the world have.
    """

    def __init__(self, templates: Templates, speeds: tuple[float, ...] = (1.0,)):
        self.templates, self.speeds = templates, speeds

    def judge(self, reading: Reading, caption: str) -> ClipVerdict:
        """The verdict on a clip with one caption.

        Raises:
            ValueError: The caption is not of the sprite world.
        """
        told, pan = parse_caption(caption), camera_pan(caption) * PAN_SPEED
        least = _MOSTLY
        if len(told) > 1:  # the other object may cover it for a while, its bar for longer
            least = _HALF if any(item.motion == PASSES for item in told) else _CROSSED
        verdicts = tuple(self.judge_object(reading, item, pan, _LEAST_SEEN.get(item.motion, least)) for item in told)
        return ClipVerdict(verdicts, reading.count == len(told))

    def judge_object(self, reading: Reading, told: ObjectDescription, pan: float = 0.0, least_seen: float = 0.0) -> ObjectVerdict:
        """The verdict on one object.

        Args:
            reading: What was read.
            told: What the caption says of it.
            pan: Pixels that the camera goes to the right with every frame.
            least_seen: Share of the frames in which it has to be seen.
        """
        found = reading.find(told.colour)
        if found is None or found.visible.mean() < least_seen:
            missing = float("nan")
            return ObjectVerdict(told, False, False, 0.0 if told.size else missing, False, 0.0, 1.0, missing, 1.0)
        placed = np.where((found.seen > _PLACED)[:, None], found.positions, np.nan)
        track = Track.of(placed, reading.height, reading.width, pan)
        bars = np.array([bar is not None for bar in reading.bars])
        around = Surroundings(bars, self.floor(found, reading.height), found.opacity, self.speeds)
        frozen = track.frozen_share
        return ObjectVerdict(
            told=told,
            colour=True,
            shape=found.look.shape == told.shape,
            size=float("nan") if told.size is None else float(found.look.size == told.size),
            motion=moves_as_told(track, told, around),
            same_look=same_look(found),
            misfit=float(np.nanmean(found.misfit)) if (~np.isnan(found.misfit)).any() else 1.0,
            jerk=track.jerk,
            frozen=1.0 if np.isnan(frozen) else frozen,
        )

    def floor(self, found: ReadObject, height: int) -> float:
        """y of the centre of an object that lies on the floor."""
        radius = self.templates.radii[("small", "large").index(found.look.size)]
        item = SpriteObject(
            found.look.shape, found.colour, found.look.size, radius, FALLS, (0, 0), self.speeds[0], (0, 0), Pen(0.1, 0.165)
        )
        return floor_level(item, height)


def same_look(found: ReadObject) -> float:
    """In what share of the frames that can be judged an object has its look; 0 if none can."""
    judged = [look for look in found.looks if look is not None]
    return float(np.mean([look == found.look for look in judged])) if judged else 0.0
