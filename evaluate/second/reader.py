"""The second reader: what of a caption a clip shows, found apart from the first reader and by another method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data.sprites import (
    COLOURS,
    FADES_IN,
    FADES_OUT,
    PAN_SPEED,
    PASSES,
    SIZES,
    ObjectDescription,
    camera_pan,
    parse_caption,
)
from .looks import LookClassifier
from .paths import Seen, moves, unrolled
from .pieces import Piece, Pieces, full_light, take_apart
from .sights import Sight, look_at
from .tracks import PieceTrack, link

_SEEN = {FADES_IN: 0.35, FADES_OUT: 0.35, PASSES: 0.25}
_SEEN_ALONE, _SEEN_BESIDE, _SEEN_BEHIND = 0.8, 0.55, 0.4
"""Share of the frames in which an object has to be seen: by its motion; alone, beside another one, beside that one's bar."""
_THERE, _LIT = 0.28, 0.3  # share of the frames, and of its full light, with which something is an object
_STEADY = 0.75  # share of its frames in which an object shows its shape; of true ones all do, also of spoilt ones
_COPY = 0.3  # share of the pixels of an object that another one of its colour has at least


@dataclass(frozen=True)
class SecondOpinion:
    """What the second reader finds of one object of a caption.

    Attributes:
        told: What the caption says.
        colour: Whether there is an object of its colour, for as long as there should be; if not, nothing of it is right.
        shape: Whether that object has its shape, and keeps it.
        size: Whether it has its size; NaN if the caption does not say.
        motion: Whether it moves as told.
    """

    told: ObjectDescription
    colour: bool
    shape: bool
    size: float
    motion: bool


@dataclass(frozen=True)
class SecondVerdict:
    """What the second reader finds of a caption.

    Attributes:
        objects: One for each that the caption names.
        number: Whether there are as many objects as it names.
    """

    objects: tuple[SecondOpinion, ...]
    number: bool

    @property
    def right(self) -> bool:
        """Whether everything is right."""
        return self.number and all(one.colour and one.shape and one.size != 0.0 and one.motion for one in self.objects)


class SecondReader:
    """Judges clips of the sprite world without any part of the first reader: what rewards a model must not be all that judges it.

    Pixels become pieces by their hue, pieces become tracks by assignment, the mean picture of a track is named by a linear
    discriminant that is learned from drawn pictures in about a second, and lines are fitted to its path.

    Args:
        radii: Radii of small and of large objects, in pixels.
        speeds: Pixels per frame and axis that objects of the world have.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0), speeds: tuple[float, ...] = (1.0,)):
        self.radii, self.speeds = radii, speeds
        self.classifier = LookClassifier.of(radii)

    def judge(self, frames: Tensor, caption: str) -> SecondVerdict:
        """The verdict on a clip uint8 `[T, H, W, 3]` with one caption.

        Raises:
            ValueError: The frames are not as above, or the caption is not of the sprite world.
        """
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != torch.uint8 or len(frames) < 2:
            raise ValueError(
                f"got frames of shape {list(frames.shape)} and {frames.dtype}; wanted uint8 [T, H, W, 3], two frames or "
                "more; pass the frames of a clip"
            )
        told, pan = parse_caption(caption), camera_pan(caption) * PAN_SPEED
        clip = take_apart(frames.numpy())
        tracks = [track for track in link(clip.found, np.array([frames.shape[2], frames.shape[1]])) if len(track.pieces) > 2]
        numbers = [number_of([t for t in tracks if t.colour == colour], len(frames)) for colour in range(len(COLOURS))]
        opinions = tuple(self._opinion(one, _least_seen(one, told), pan, tracks, clip) for one in told)
        return SecondVerdict(opinions, sum(numbers) == len(told))

    def _opinion(
        self, told: ObjectDescription, least_seen: float, pan: float, tracks: Sequence[PieceTrack], clip: Pieces
    ) -> SecondOpinion:
        own = [track for track in tracks if tuple(COLOURS)[track.colour] == told.colour]
        frames = {frame for track in own for frame in track.frames}
        if len(frames) < least_seen * len(clip.above):
            return SecondOpinion(told, False, False, float("nan") if told.size is None else 0.0, False)
        sight = look_at(own[0], [track for track in tracks if track.colour != own[0].colour], clip, self.classifier)
        return SecondOpinion(
            told=told,
            colour=True,
            shape=sight.look.shape == told.shape and sight.steadiness >= _STEADY,
            size=float("nan") if told.size is None else float(sight.look.size == told.size),
            motion=moves(self._seen(sight, pan, clip), told),
        )

    def _seen(self, sight: Sight, pan: float, clip: Pieces) -> Seen:
        known = ~np.isnan(sight.places[:, 0])
        times, (height, width) = sight.frames[known], clip.above.shape[1:3]
        places = sight.places[known] + times[:, None] * [pan, 0.0]
        light = np.zeros(len(clip.above))
        light[sight.frames] = sight.light
        path = unrolled(places, np.array([width, height])) if len(places) else places
        radius = self.radii[SIZES.index(sight.look.size)]
        return Seen(times, path, light, clip.bars, sight.look, radius, height, self.speeds)


def number_of(tracks: Sequence[PieceTrack], length: int) -> int:
    """How many objects the tracks of one colour are: none if it is seen too little, two if a third of the frames shows two."""
    pieces = [piece for track in tracks for piece in track.pieces]
    if not pieces:
        return 0
    by_frame: dict[int, list[Piece]] = {}
    for piece in pieces:
        by_frame.setdefault(piece.frame, []).append(piece)
    if len(by_frame) < _THERE * length or np.percentile([piece.light for piece in pieces], 80) < _LIT * full_light(
        pieces[0].colour
    ):
        return 0
    least = _COPY * np.percentile([len(piece.pixels) for piece in pieces], 75)
    several = [sum(len(piece.pixels) >= least for piece in some) > 1 for some in by_frame.values()]
    return 1 + (sum(several) > length / 3)


def _least_seen(one: ObjectDescription, told: Sequence[ObjectDescription]) -> float:
    """In what share of the frames an object of a caption has to be seen."""
    beside = _SEEN_BEHIND if any(other.motion == PASSES for other in told) else _SEEN_BESIDE
    return _SEEN.get(one.motion, _SEEN_ALONE if len(told) == 1 else beside)
