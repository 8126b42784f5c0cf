"""Which objects clips hold, in which frames, how bright and about where: what can be told before any shape is judged."""

from dataclasses import dataclass

import numpy as np
import torch

from ..data.sprites import COLOURS
from .colours import Spots

_LEAST_MASS = 9.0  # pixels; less is no object
_LEAST_TIME = 0.35  # share of a clip; what is seen for less is no object
_FAINT, _DIM = 0.2, 0.4  # opacity below which nothing is seen, and no object was there at all
_COVERS = 0.3  # share of a pixel in another colour that hides what is behind it


@dataclass(frozen=True)
class Sightings:
    """The F frames of clips in which objects are seen, object by object.

    Attributes:
        length: Frames of a clip.
        clip: int64 `[objects]`, in order.
        colour: int64 `[objects]`, which of `COLOURS`.
        whose: int64 `[F]`, which object is seen.
        time: int64 `[F]`, in which frame of its clip.
        frame: int64 `[F]`, in which frame of all clips.
        opacity: float32 `[F]`, how bright it is, above 0.
        everywhere: float32 `[F]`, pixels of its colour in the whole frame.
        centres: int64 `[F, 2]`, the pixel (x, y) at its centre of mass.
    """

    length: int
    clip: np.ndarray
    colour: np.ndarray
    whose: np.ndarray
    time: np.ndarray
    frame: np.ndarray
    opacity: np.ndarray
    everywhere: np.ndarray
    centres: np.ndarray

    def over_time(self, values: np.ndarray, fill: float) -> np.ndarray:
        """Values of all sightings `[F, ...]`, as arrays over the frames of a clip: float64 `[objects, length, ...]`."""
        out = np.full((len(self.clip), self.length, *values.shape[1:]), float(fill))
        out[self.whose, self.time] = values
        return out


def find_objects(spots: Spots, clips: int, length: int, height: int, width: int) -> Sightings:
    """The objects of clips of `length` frames each, from the spots of all their frames."""
    clip, time = spots.frame // length, spots.frame % length
    key = (clip * len(COLOURS) + spots.colour) * length + time  # a colour of a clip at a time
    keys = clips * len(COLOURS) * length
    opacity = _peaks(key, spots.share, keys)
    mass = np.bincount(key, spots.share, keys) / opacity
    there = ((mass >= _LEAST_MASS) & (opacity > _FAINT)).reshape(-1, length)
    brightest = np.where(there, opacity.reshape(-1, length), 0).max(axis=1)
    objects = np.flatnonzero((there.mean(axis=1) >= _LEAST_TIME) & (brightest >= _DIM))
    whose, when = there[objects].nonzero()
    found = objects[whose] * length + when
    solid = np.minimum(spots.share / opacity[key], 1)
    return Sightings(
        length=length,
        clip=objects // len(COLOURS),
        colour=objects % len(COLOURS),
        whose=whose,
        time=when,
        frame=objects[whose] // len(COLOURS) * length + when,
        opacity=opacity[found].astype(np.float32),
        everywhere=np.bincount(key, solid, keys)[found].astype(np.float32),
        centres=_centres(key, spots, found, height, width),
    )


def _peaks(key: np.ndarray, share: np.ndarray, keys: int) -> np.ndarray:
    """The share that a tenth of the spots of each key exceed, above 0: `[keys]`."""
    counts = np.bincount(key, minlength=keys)
    rank = np.maximum(counts, 10) // 10  # the brightest few spots are noise
    ranked = np.append(share[np.lexsort((share, key))], 0)
    at = np.where(rank < counts, np.cumsum(counts) - 1 - rank, -1)
    return np.maximum(ranked[at], 0.05)


def _centres(key: np.ndarray, spots: Spots, found: np.ndarray, height: int, width: int) -> np.ndarray:
    """The pixel (x, y) at the middle of the spots of some keys `[F]`, on a frame whose borders meet: int64 `[F, 2]`."""
    row = np.full(max(int(key.max(initial=0)), int(found.max(initial=0))) + 1, -1)
    row[found] = np.arange(len(found))
    wanted = row[key] >= 0
    masks = torch.zeros(len(found), height * width)
    masks[row[key[wanted]], spots.place[wanted]] = torch.from_numpy(spots.share[wanted])
    masks, centres = masks.unflatten(1, (height, width)), []
    for axis, size in ((1, width), (2, height)):
        profile, angles = masks.sum(dim=axis), torch.arange(size) * (2 * np.pi / size)
        angle = torch.atan2(profile @ angles.sin(), profile @ angles.cos())
        centres.append((angle / (2 * np.pi) * size).round().long() % size)
    return torch.stack(centres, dim=1).numpy()


def cut_out(seen: Sightings, spots: Spots, behind: np.ndarray, height: int, around: int) -> tuple[np.ndarray, np.ndarray]:
    """The square of `2 around + 1` pixels around each sighting, across the borders.

    Args:
        seen: The F sightings.
        spots: Of the same frames.
        behind: bool `[M, W]`, true in the columns of the bar.
        height: Rows of a frame.
        around: Pixels.

    Returns:
        float32 `[F, side, side]`, how much of each pixel is of the object, 0 to 1.
        bool `[F, side, side]`, whether the pixel is free of what else covers the object.
    """
    frames, width = behind.shape
    colours, shares = np.full(frames * height * width, -1, np.int8), np.zeros(frames * height * width, np.float32)
    pixel = spots.frame * (height * width) + spots.place
    colours[pixel], shares[pixel] = spots.colour, spots.share
    offsets, frame = np.arange(-around, around + 1), seen.frame[:, None]
    columns, rows = (seen.centres[:, :1] + offsets) % width, (seen.centres[:, 1:] + offsets) % height
    index = ((frame * height + rows) * width)[:, :, None] + columns[:, None, :]
    share, its_own = shares[index], colours[index] == seen.colour[seen.whose].astype(np.int8)[:, None, None]
    solid = np.where(its_own, np.minimum(share / seen.opacity[:, None, None], 1), 0)
    free = (its_own | (share <= _COVERS)) & ~behind[frame, columns][:, None, :]
    return solid, free
