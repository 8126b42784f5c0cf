"""Reading a scene from its pixels alone: which objects there are, where, and how much of each can be seen.

Nothing is learned, and nothing is known beforehand but the looks of the sprite world. Colours are told apart by their direction
from the background, shapes by the misfit of their pictures. So a reading judges true, reconstructed and generated videos alike.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..data.sprites import COLOURS
from .colours import columns_behind, find_bars, planes_of, unmix
from .matching import REACH, Found, match
from .sightings import Sightings, cut_out, find_objects
from .templates import Look, Templates

_ANOTHER = 18.0  # pixels of a colour beside an object, of which another object is made
_CLEAR = 0.75  # share of an object that must be seen for its shape to be judged
_SOLID = 0.35  # opacity below which no shape is judged
_TOGETHER = 128  # frames that are read at a time


@dataclass(frozen=True, eq=False)
class ReadObject:
    """One object of a clip, as far as it can be seen.

    Attributes:
        colour: One of `COLOURS`.
        look: Shape and size over the whole clip.
        positions: float64 `[T, 2]`, its centre (x, y) in pixels, x in [0, W), y in [0, H); NaN if it is hidden.
        seen: float64 `[T]`, the share of its pixels that is seen, about 0 to 1.
        opacity: float64 `[T]`, how bright it is: 1 where it neither fades nor stands in dimmed light.
        looks: The look of each frame; None if too little is seen to judge.
        misfit: float64 `[T]`, how far the best picture is off, 0 to 1; NaN if nothing is judged.
        extra: float64 `[T]`, pixels of its colour that lie beside it.
    """

    colour: str
    look: Look
    positions: np.ndarray
    seen: np.ndarray
    opacity: np.ndarray
    looks: tuple[Look | None, ...]
    misfit: np.ndarray
    extra: np.ndarray

    @cached_property
    def visible(self) -> np.ndarray:
        """bool `[T]`: whether anything of it is seen."""
        return ~np.isnan(self.positions[:, 0])

    @property
    def copies(self) -> int:
        """How many objects of this colour there are: 1, or 2 if for a third of the time another one lies beside it."""
        return 1 + int((self.extra > _ANOTHER).mean() > 1 / 3)


@dataclass(frozen=True, eq=False)
class Reading:
    """What a clip shows.

    Attributes:
        objects: One for each colour that is seen.
        bars: First column of the bar and the first one after it, for each frame; None if there is none.
        height: Rows.
        width: Columns.
    """

    objects: tuple[ReadObject, ...]
    bars: tuple[tuple[int, int] | None, ...]
    height: int
    width: int

    @property
    def count(self) -> int:
        """Objects in all."""
        return sum(item.copies for item in self.objects)

    def find(self, colour: str) -> ReadObject | None:
        """The object of a colour."""
        return next((item for item in self.objects if item.colour == colour), None)


class SceneReader:
    """Reads clips of the sprite world.

    Args:
        radii: Radii of small and of large objects, in pixels.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0)):
        self.templates = Templates(radii)

    def read(self, frames: Tensor) -> Reading:
        """Reads a clip uint8 `[T, H, W, 3]`.

        Raises:
            ValueError: The frames are not as above.
        """
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != torch.uint8 or not len(frames):
            raise ValueError(f"got frames of shape {list(frames.shape)} and {frames.dtype}; wanted uint8 [T, H, W, 3]")
        return self.read_all(frames[None])[0]

    def read_all(self, clips: Tensor) -> list[Reading]:
        """Reads clips uint8 `[N, T, H, W, 3]`, each as if it were alone.

        Raises:
            ValueError: The clips are not as above.
        """
        if clips.ndim != 5 or clips.shape[4] != 3 or clips.dtype != torch.uint8 or not clips.shape[1]:
            raise ValueError(f"got clips of shape {list(clips.shape)} and {clips.dtype}; wanted uint8 [N, T, H, W, 3]")
        together = max(1, _TOGETHER // clips.shape[1])
        return [reading for at in range(0, len(clips), together) for reading in self._read_some(clips[at : at + together])]

    def _read_some(self, clips: Tensor) -> list[Reading]:
        count, length, height, width = clips.shape[:4]
        planes = planes_of(clips.flatten(0, 1).numpy())
        bars = find_bars(planes)
        behind = columns_behind(bars, width)
        spots = unmix(planes, behind)
        sightings = find_objects(spots, count, length, height, width)
        seen, free = (torch.from_numpy(part) for part in cut_out(sightings, spots, behind, height, self.templates.half + REACH))
        objects = self._judge(sightings, seen, match(self.templates, seen, free), torch.tensor([width, height]))
        of_clip = [[item for item, its in zip(objects, sightings.clip, strict=True) if its == clip] for clip in range(count)]
        starts = range(0, count * length, length)
        return [
            Reading(tuple(items), tuple(bars[start : start + length]), height, width)
            for items, start in zip(of_clip, starts, strict=True)
        ]

    def _judge(self, sightings: Sightings, seen: Tensor, found: Found, size: Tensor) -> list[ReadObject]:
        """The objects, from what fits best where their colours are seen; `size` is the width and the height of a frame."""
        templates, rows, whose = self.templates, torch.arange(len(seen)), torch.from_numpy(sightings.whose)
        near, picture = seen.flatten(1).sum(dim=1), found.misfit.argmin(dim=1)
        is_whole = near / templates.areas[templates.look_of[picture]] > _CLEAR
        clear = is_whole & (found.shown[rows, picture] > _CLEAR) & (torch.from_numpy(sightings.opacity) > _SOLID)
        look = self._common_looks(found, clear, whose, len(sightings.clip))
        alike = templates.look_of == look[whose, None]
        chosen = torch.where(clear, picture, found.misfit.masked_fill(~alike, 9).argmin(dim=1))
        shift = found.shift[rows, chosen]
        places = torch.from_numpy(sightings.centres) + shift + templates.offsets[chosen]
        misfit = torch.where(clear, found.misfit.amin(dim=1), torch.nan)
        over_time = {
            "positions": sightings.over_time((places % size).numpy(), np.nan),
            "seen": sightings.over_time((near / templates.areas[look[whose]]).numpy(), 0.0),
            "opacity": sightings.over_time(sightings.opacity, 0.0),
            "misfit": sightings.over_time(misfit.numpy(), np.nan),
            "extra": sightings.over_time(sightings.everywhere - self._under(seen, chosen, shift).numpy(), 0.0),
        }
        looks = sightings.over_time(torch.where(clear, templates.look_of[picture], -1).numpy(), -1)
        return [
            ReadObject(
                colour=tuple(COLOURS)[colour],
                look=templates.looks[int(look[at])],
                looks=tuple(None if number < 0 else templates.looks[int(number)] for number in looks[at]),
                **{name: values[at] for name, values in over_time.items()},
            )
            for at, colour in enumerate(sightings.colour)
        ]

    def _common_looks(self, found: Found, clear: Tensor, whose: Tensor, objects: int) -> Tensor:
        """The look of each object over its whole clip, int64 `[objects]`: from the frames in which it is clear, if any are."""
        count = len(self.templates.looks)
        by_look = torch.full((len(whose), count), 2.0)
        by_look = by_look.scatter_reduce(1, self.templates.look_of.expand(len(whose), -1), found.misfit, "amin")
        is_ever = torch.zeros(objects, dtype=torch.bool).index_fill(0, whose[clear], True)
        judged = clear | ~is_ever[whose]
        return torch.zeros(objects, count).index_add(0, whose[judged], by_look[judged]).argmin(dim=1)

    def _under(self, seen: Tensor, picture: Tensor, shift: Tensor) -> Tensor:
        """Pixels of the colour where the chosen picture lies, or almost lies: `[F]`."""
        offsets = REACH + torch.arange(2 * self.templates.half + 1)
        columns, rows = (shift[:, axis, None] + offsets for axis in (0, 1))
        there = seen[torch.arange(len(seen))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return (there.flatten(1) * self.templates.reach[picture]).sum(dim=1)
