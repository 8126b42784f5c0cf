"""What sprites look like: small pictures of every shape, size and hand, to find in a frame."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.sprites import DIGITS, PLAIN, SIZES, Pen, outline

_SLANTS = (-0.05, 0.1, 0.25)  # of digits; between them the misfit is small
_THICKNESS = 0.165
_PHASES = (-0.5, 0.0)  # of a pixel
_MARGIN = 2  # pixels around an object in which its colour may lie


@dataclass(frozen=True)
class Look:
    """One shape at one size."""

    shape: str
    size: str


@dataclass(frozen=True)
class Brush:
    """The pictures of one size, on the few pixels that any of them covers.

    Attributes:
        pictures: float32 `[k, n]`.
        masses: float32 `[k]`, the sum of squares of each.
        rows: int64 `[n]`, in which row of a picture each pixel lies.
        columns: int64 `[n]`, and in which column.
    """

    pictures: Tensor
    masses: Tensor
    rows: Tensor
    columns: Tensor

    def windows(self, width: int, side: int) -> Tensor:
        """Where the pixels lie in a crop of so many columns, from each of `side` x `side` corners: int64 `[side * side, n]`."""
        corners = (torch.arange(side)[:, None] * width + torch.arange(side)).flatten()
        return corners[:, None] + self.rows * width + self.columns


class Templates:
    """Pictures of all looks, written by several hands, at half pixels.

    Args:
        radii: Radii of small and of large objects, in pixels.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0)):
        self.radii = radii
        self.half = int(np.ceil(1.12 * radii[1] + 1))
        """The pictures are `2 half + 1` pixels wide."""
        looks, pictures, offsets = [], [], []
        for (size, radius), shape in product(zip(SIZES, radii, strict=True), (*PLAIN, *DIGITS)):  # size by size, see `brushes`
            slants = _SLANTS if shape in DIGITS else (0.0,)
            for slant, x, y in product(slants, _PHASES, _PHASES):
                looks.append(Look(shape, size))
                offsets.append((x, y))
                pictures.append(self._draw(shape, radius, Pen(slant, _THICKNESS), x, y))
        self.looks = tuple(dict.fromkeys(looks))
        """All looks."""
        self.look_of = torch.tensor([self.looks.index(look) for look in looks])
        """int64 `[K]`: which of `looks` each picture shows."""
        self.pictures = torch.from_numpy(np.stack(pictures)).flatten(1)
        """float32 `[K, pixels]`: how much of each pixel is covered, 0 to 1."""
        around = F.max_pool2d(self.pictures.unflatten(1, (1, 2 * self.half + 1, -1)), 2 * _MARGIN + 1, stride=1, padding=_MARGIN)
        self.reach = (around > 0.1).float().flatten(1)
        """float32 `[K, pixels]`: 1 where the object is, or almost is."""
        self.offsets = torch.tensor(offsets)
        """float32 `[K, 2]`: where the centre of the object lies from the middle of the picture, (x, y)."""

    @cached_property
    def areas(self) -> Tensor:
        """float32 `[looks]`: pixels that a look covers."""
        covered = self.pictures.sum(dim=1)
        return torch.stack([covered[self.look_of == index].mean() for index in range(len(self.looks))])

    @cached_property
    def masses(self) -> Tensor:
        """float32 `[K]`: the sum of squares of each picture."""
        return self.pictures.square().sum(dim=1)

    @cached_property
    def brushes(self) -> tuple[Brush, ...]:
        """The pictures of each size; they follow one another in `pictures`."""
        pictures, masses = self.pictures.chunk(len(SIZES)), self.masses.chunk(len(SIZES))
        return tuple(self._brush(mine, its_masses) for mine, its_masses in zip(pictures, masses, strict=True))

    def _brush(self, pictures: Tensor, masses: Tensor) -> Brush:
        covered, width = pictures.amax(dim=0).nonzero()[:, 0], 2 * self.half + 1
        return Brush(pictures[:, covered], masses, covered // width, covered % width)

    @cached_property
    def cover(self) -> Tensor:
        """bool `[side, side]`: the pixels that any picture covers."""
        return (self.pictures.amax(dim=0) > 0).unflatten(0, (2 * self.half + 1, -1))

    def _draw(self, shape: str, radius: float, pen: Pen, x: float, y: float) -> np.ndarray:
        pixels = np.arange(-self.half, self.half + 1, dtype=np.float32)
        distance = outline(shape, pen).distance((pixels[None, :] - x) / radius, (pixels[:, None] - y) / radius)
        return np.clip(0.5 - distance * radius, 0, 1).astype(np.float32)
