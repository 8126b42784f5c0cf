"""Metrics, against scikit-image and by hand."""

import pytest
import tiny
import torch
from skimage.metrics import peak_signal_noise_ratio

from framecast.evaluate import bits_per_pixel, psnr


@pytest.mark.parametrize("noise", [0.01, 0.3, 2.0])
def test_psnr_is_that_of_scikit_image(noise):
    target = tiny.video(5, batch_size=3)
    video = target + noise * torch.randn(target.shape, generator=tiny.rng(1))
    found = psnr(video, target)
    assert found.shape == (3,) and found.dtype == torch.float32
    for row in range(3):
        expected = peak_signal_noise_ratio(target[row].numpy(), video[row].clamp(-1, 1).numpy(), data_range=2)
        assert found[row].item() == pytest.approx(expected, abs=1e-3)


def test_what_no_screen_shows_does_not_count():
    white = torch.ones(1, 3, 1, 4, 4)
    assert psnr(white * 5, white).item() == psnr(white, white).item() == pytest.approx(106.0206, abs=1e-3)  # the most it gives


def test_psnr_by_hand():
    video = torch.zeros(2, 3, 1, 2, 2)
    target = torch.stack([torch.full((3, 1, 2, 2), 1.0), torch.full((3, 1, 2, 2), 0.2)])
    assert psnr(video, target).tolist() == pytest.approx([6.0206, 20.0], abs=1e-3)  # 10 log10(4 / 1), 10 log10(4 / 0.04)


def test_psnr_takes_half_precision():
    video, target = tiny.video(1, batch_size=1), tiny.video(1, batch_size=1, seed=1)
    assert psnr(video.bfloat16(), target).item() == pytest.approx(psnr(video, target).item(), abs=0.05)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got videos of shape \[1, 3, 4, 2, 2\] and \[1, 3, 1, 2, 2\]; wanted the same shape"):
        psnr(torch.zeros(1, 3, 4, 2, 2), torch.zeros(1, 3, 1, 2, 2))  # would broadcast


def test_bits_per_pixel_by_hand():
    assert bits_per_pixel(num_tokens=64, codebook_size=1024, num_pixels=4 * 64 * 64) == 640 / 16384
    assert bits_per_pixel(num_tokens=1, codebook_size=3, num_pixels=1) == pytest.approx(1.58496, abs=1e-5)
