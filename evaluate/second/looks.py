"""Shape and size of a mean picture: a linear discriminant (Fisher 1936) that is learned from drawn pictures when it is needed."""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.sprites import SHAPES, SIZES, Pen, outline

HALF = 12
"""Pictures are `2 HALF + 1` pixels wide."""
_DRAWN, _SEED = 72, 0  # pictures of each look
_SLANTS, _THICKNESSES = (-0.1, 0.3), (0.14, 0.19)
_BLUR, _NOISE = (0.3, 1.5), 0.04  # pixels, and of 1
_RIDGE = 3e-4  # is added to the variance of every pixel


@dataclass(frozen=True)
class ShapeAndSize:
    """What a mean picture shows.

    Attributes:
        shape: One of `SHAPES`.
        size: One of `SIZES`.
    """

    shape: str
    size: str


class LookClassifier:
    """Tells 16 shapes in two sizes apart.

    Args:
        radii: Radii of small and of large objects, in pixels.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0)):
        rng = np.random.default_rng(_SEED)
        self.looks = tuple(ShapeAndSize(*names) for names in product(SHAPES, SIZES))
        drawn = torch.stack([_drawn(look.shape, radii[SIZES.index(look.size)], rng) for look in self.looks])
        self.pictures = drawn.mean(dim=1)
        """float32 `[looks, side, side]`: the mean of each look, 0 to 1."""
        seen = _unit(drawn)  # [looks, N, pixels]
        means = seen.mean(dim=1)
        within = (seen - means[:, None]).flatten(0, 1)
        spread = within.T @ within / len(within) + _RIDGE * torch.eye(within.shape[1])
        self._weights = torch.linalg.solve(spread, means.T)  # [pixels, looks]
        self._bias = -(means.T * self._weights).sum(dim=0) / 2

    @classmethod
    @cache
    def of(cls, radii: tuple[float, float]) -> "LookClassifier":
        """The one of some radii, which is learned once."""
        return cls(radii)

    def scores(self, pictures: Tensor) -> Tensor:
        """How likely each look is, the higher the likelier: `[N, looks]` of pictures `[N, side, side]`."""
        return _unit(pictures) @ self._weights + self._bias

    def name(self, pictures: Tensor) -> ShapeAndSize:
        """The look that fits all of some pictures best."""
        return self.looks[int(self.scores(pictures).mean(dim=0).argmax())]


def centred(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The middles of pictures `[N, h, w]` around the centres of their mass, `[N, side, side]`, and these centres `[N, 2]` (x, y).

    Centres are pixels from the middle of the picture; what is between pixels is mixed linearly.
    """
    height, width = pictures.shape[1:]
    mass = pictures.sum(dim=(1, 2)).clamp(min=1e-6)
    x = (pictures.sum(dim=1) @ (torch.arange(width) - (width - 1) / 2)) / mass
    y = (pictures.sum(dim=2) @ (torch.arange(height) - (height - 1) / 2)) / mass
    steps = torch.arange(-HALF, HALF + 1)
    places = torch.stack(
        [
            ((steps + x[:, None]) / ((width - 1) / 2))[:, None, :].expand(-1, len(steps), -1),
            ((steps + y[:, None]) / ((height - 1) / 2))[:, :, None].expand(-1, -1, len(steps)),
        ],
        dim=3,
    )
    return F.grid_sample(pictures[:, None], places, align_corners=True)[:, 0], torch.stack([x, y], dim=1)


def _unit(pictures: Tensor) -> Tensor:
    """Pictures `[..., side, side]` as vectors of length 1."""
    return F.normalize(pictures.flatten(-2), dim=-1)


def _drawn(shape: str, radius: float, rng: np.random.Generator) -> Tensor:
    """Pictures `[N, side, side]` of one look: by several hands, at all places between pixels, blurred and noisy."""
    border = HALF + 4
    grid = np.arange(-border, border + 1, dtype=np.float32)
    pictures = np.empty((_DRAWN, len(grid), len(grid)), dtype=np.float32)
    for picture in pictures:
        (x, y), pen = rng.uniform(-0.5, 0.5, 2), Pen(rng.uniform(*_SLANTS), rng.uniform(*_THICKNESSES))
        distance = outline(shape, pen).distance((grid[None, :] - x) / radius, (grid[:, None] - y) / radius)
        picture[:] = np.clip(0.5 - distance * radius, 0, 1)
        picture[:] = _blurred(picture, rng.uniform(*_BLUR)) + rng.normal(0, _NOISE, picture.shape)
        picture[picture < 0.1] = 0
    return centred(torch.from_numpy(pictures))[0]


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    taps = np.exp(-((np.arange(-4, 5) / sigma) ** 2) / 2)
    matrix = np.array([np.convolve(row, taps / taps.sum(), "same") for row in np.eye(len(picture))])
    return matrix @ picture @ matrix.T
