"""Other codecs, in memory: more bits come nearer, and what no decoder needs does not count."""

from dataclasses import replace

import numpy as np
import pytest

from framecast.data import VideoError
from framecast.data.video import CODECS, compress


def clip(side: int = 64, num_frames: int = 9) -> np.ndarray:
    """uint8 `[T, side, side, 3]`: waves that move by a pixel each frame, and grain."""
    rows, columns, frames = np.mgrid[:side, :side, :num_frames]
    waves = 128 + 60 * np.sin((columns + frames) / 5) * np.cos(rows / 7)
    grain = np.random.default_rng(0).normal(0, 6, (num_frames, side, side, 3))
    return np.clip(waves.transpose(2, 0, 1)[..., None] + grain, 0, 255).astype(np.uint8)


def error(made: np.ndarray, true: np.ndarray) -> float:
    return float(np.square(made.astype(float) - true).mean())


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_more_bits_come_nearer(codec):
    if not codec.is_there:
        pytest.skip(f"the installed PyAV has no {codec.encoder}")
    frames = clip()
    best, worst = (compress(frames, 12.0, codec, quality) for quality in (codec.qualities[0], codec.qualities[-1]))
    assert best.frames.shape == worst.frames.shape == frames.shape and best.frames.dtype == np.uint8
    assert best.num_bits > 1.5 * worst.num_bits
    assert error(best.frames, frames) < error(worst.frames, frames) < error(frames[::-1], frames)


def test_the_frames_come_back_in_their_order():
    frames = np.stack([np.full((64, 64, 3), 20 * index + 20, np.uint8) for index in range(9)])
    made = compress(frames, 12.0, CODECS[0], 22).frames
    assert made.mean(axis=(1, 2, 3)) == pytest.approx(frames.mean(axis=(1, 2, 3)), abs=4)


def test_the_name_and_the_settings_of_the_encoder_do_not_count():
    codec, frames = CODECS[0], clip()
    with_remarks = compress(frames, 12.0, replace(codec, remarks=(255,)), 40).num_bits  # no unit has this kind
    assert with_remarks - compress(frames, 12.0, codec, 40).num_bits > 8 * 500


def test_frames_that_a_codec_does_not_take_are_named():
    with pytest.raises(VideoError, match="x264 does not take frames of 15x64"):
        compress(clip()[:, :15], 12.0, CODECS[0], 22)


def test_a_codec_that_is_not_installed_says_so():
    assert CODECS[0].is_there and not replace(CODECS[0], encoder="libnone").is_there
