"""Frames scaled and cropped."""

import numpy as np
import pytest

from framecast.data import read_video, write_video


@pytest.mark.parametrize("size", [16, (16, 16), (8, 40), (40, 8), (64, 64)])
def test_size_covers_and_crops_the_centre(tmp_path, size):
    frames = np.zeros((2, 30, 60, 3), np.uint8)
    frames[:, 10:20, 20:40] = 255  # a white middle
    write_video(tmp_path / "clip.mkv", frames, 10)
    read = read_video(tmp_path / "clip.mkv", size=size).frames.float().mean(-1)[0]
    assert tuple(read.shape) == ((size, size) if isinstance(size, int) else size)
    assert (read - read.flip(0, 1)).abs().max() <= 6  # centred
    assert read[read.shape[0] // 2, read.shape[1] // 2] > 200


def test_scaling_down_is_antialiased(tmp_path):
    stripes = np.zeros((2, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 255
    write_video(tmp_path / "clip.mkv", stripes, 10)
    read = read_video(tmp_path / "clip.mkv", size=16).frames[0, 4:12, 4:12].float()
    assert read.min() > 90 and read.max() < 165  # grey, not stripes of another width
