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
        for shape, (size, radius) in product((*PLAIN, *DIGITS), zip(SIZES, radii, strict=True)):
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

    def _draw(self, shape: str, radius: float, pen: Pen, x: float, y: float) -> np.ndarray:
        pixels = np.arange(-self.half, self.half + 1, dtype=np.float32)
        distance = outline(shape, pen).distance((pixels[None, :] - x) / radius, (pixels[:, None] - y) / radius)
        return np.clip(0.5 - distance * radius, 0, 1).astype(np.float32)
