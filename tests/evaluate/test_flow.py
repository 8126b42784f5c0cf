"""The warping error, on motion that is known and motion that is broken."""

import builtins
import math
from itertools import pairwise

import numpy as np
import pytest
import tiny
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from framecast.data import SpriteWorld
from framecast.evaluate.flow import flow_lengths, warp_error

needs_opencv = pytest.mark.usefixtures("opencv")


@pytest.fixture
def opencv():
    return pytest.importorskip("cv2")


def texture(size: int = 96) -> Tensor:
    """Soft spots of 8 pixels or so, uint8 `[size, size, 3]`."""
    noise = torch.rand(3, size + 16, size + 16, generator=tiny.rng())
    for _ in range(2):
        noise = avg_pool2d(noise, 5, stride=1, padding=2)
    spots = noise[:, 8:-8, 8:-8]
    levels = (spots - spots.min()) / (spots.max() - spots.min()) * 255
    return levels.round().to(torch.uint8).permute(1, 2, 0)


def sliding(num_frames: int = 5, size: int = 64) -> Tensor:
    """A camera that moves 2 pixels right and 1 down with each frame."""
    picture = texture(size + 2 * num_frames)
    return torch.stack([picture[t : t + size, 2 * t : 2 * t + size] for t in range(num_frames)])


def frame_difference(frames: Tensor) -> float:
    return np.sqrt(np.mean([(a.double() - b.double()).square().mean() for a, b in pairwise(frames)]))


@needs_opencv
@pytest.mark.parametrize("size", [16, 64])
def test_motion_is_no_error(size):
    frames = sliding(size=size)
    assert frame_difference(frames) > 20
    assert warp_error(frames) < frame_difference(frames) / 5


@needs_opencv
def test_one_bright_frame_by_hand():
    """A flat change is no motion: two of four pairs are off by 20 everywhere."""
    frames = texture(64).div(2, rounding_mode="floor").expand(5, -1, -1, -1).clone()
    assert warp_error(frames) == 0
    frames[2] += 20
    assert warp_error(frames) == pytest.approx(math.sqrt(20**2 / 2), rel=0.1)


@needs_opencv
@pytest.mark.parametrize("index", range(4))
def test_broken_sprites_are_worse(index):
    frames = SpriteWorld(num_frames=17)[index].frames
    shuffled = frames[torch.randperm(17, generator=tiny.rng(1))]
    flickering = frames.int().add(torch.tensor([0, 15] * 8 + [0])[:, None, None, None]).clamp(max=255).to(torch.uint8)
    assert warp_error(frames) < 4
    assert warp_error(shuffled) > warp_error(frames) + 0.1
    assert warp_error(flickering) > warp_error(frames) + 5


@needs_opencv
def test_what_comes_in_at_the_border_does_not_count():
    """The columns that a sprite world wraps around would be off by their whole contrast."""
    picture = texture(64)
    rolled = torch.stack([picture.roll(3 * t, dims=1) for t in range(4)])
    assert warp_error(rolled) < frame_difference(rolled) / 5


@needs_opencv
def test_one_frame_has_no_error():
    assert math.isnan(warp_error(sliding(1)))


@needs_opencv
def test_nothing_left_to_judge_is_not_perfect(monkeypatch):
    monkeypatch.setattr("framecast.evaluate.flow._agree", lambda there, back: np.zeros(there.shape[:2], dtype=bool))
    assert math.isnan(warp_error(sliding(3)))


@pytest.mark.parametrize("frames", [torch.zeros(2, 3, 64, 64), torch.zeros(2, 15, 64, 3, dtype=torch.uint8)])
def test_other_frames_are_refused(frames):
    with pytest.raises(ValueError, match=r"wanted uint8 \[T, H, W, 3\] of at least 16x16 pixels.*to_frames"):
        warp_error(frames)


def test_without_opencv_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "cv2":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"needs OpenCV; install it with `pip install '.\[evaluate\]'`"):
        warp_error(sliding(2))


@needs_opencv
def test_flow_is_as_long_as_what_moves_has_moved():
    still = texture()
    frames = torch.stack([still.roll(2 * step, dims=1) for step in range(5)])
    assert np.median(flow_lengths(frames)) == pytest.approx(2, rel=0.15)
    assert flow_lengths(still.repeat(3, 1, 1, 1)).max() < 0.01
    with pytest.raises(ValueError, match="wanted uint8"):
        flow_lengths(frames.float())
