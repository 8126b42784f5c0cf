"""Shapes and sizes from mean pictures."""

import numpy as np
import torch

from framecast.data.sprites import SHAPES, SIZES, Pen, outline
from framecast.evaluate.second.looks import HALF, LookClassifier, centred

RADII = (5.5, 9.0)


def drawn(shape: str, radius: float, x: float, y: float, pen: Pen) -> torch.Tensor:
    grid = np.arange(-16, 17, dtype=np.float32)
    distance = outline(shape, pen).distance((grid[None, :] - x) / radius, (grid[:, None] - y) / radius)
    return torch.from_numpy(np.clip(0.5 - distance * radius, 0, 1)).float()


def test_every_look_is_named():
    classifier, wrong = LookClassifier.of(RADII), []
    for shape in SHAPES:
        for size, radius in zip(SIZES, RADII, strict=True):
            picture, _ = centred(drawn(shape, radius, 2.25, -1.5, Pen(0.2, 0.15))[None])
            look = classifier.name(picture)
            wrong += [] if (look.shape, look.size) == (shape, size) else [(shape, size, look)]
    assert wrong == []


def test_a_picture_is_centred_between_pixels():
    picture, place = centred(drawn("circle", 5.5, 2.25, -1.5, Pen(0, 0.15))[None])
    assert torch.allclose(place, torch.tensor([[2.25, -1.5]]), atol=0.02)
    assert picture.shape == (1, 2 * HALF + 1, 2 * HALF + 1)
    assert (picture[0] - picture[0].flip(0)).abs().max() < 0.1
