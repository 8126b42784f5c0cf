"""Metrics, against scikit-image, SciPy and by hand; each with a video that is worse and must show it."""

import numpy as np
import pytest
import tiny
import torch
from einops import rearrange
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torch.nn.functional import avg_pool3d

from framecast.data import SpriteWorld, to_video
from framecast.evaluate import bits_per_pixel, psnr
from framecast.evaluate.metrics import (
    flicker,
    frozen_share,
    motion_by_frame,
    ms_ssim,
    sharpness,
    sharpness_by_frame,
    ssim,
    temporal_error,
)

LEVEL = 1 / 127.5  # one step of an 8-bit picture
PAIRED = [psnr, ssim, ms_ssim, temporal_error]
ALONE = [flicker, sharpness, sharpness_by_frame, motion_by_frame, frozen_share]


def sprites(index: int = 3, num_frames: int = 17) -> Tensor:
    return to_video(SpriteWorld(num_frames=num_frames)[index].frames)[None]


def still(num_frames: int = 9) -> Tensor:
    return sprites(num_frames=2)[:, :, :1].expand(-1, -1, num_frames, -1, -1).clone()


def blurred(video: Tensor) -> Tensor:
    return avg_pool3d(video, (1, 3, 3), stride=1, padding=(0, 1, 1), count_include_pad=False)


def noisy(video: Tensor, seed: int = 0) -> Tensor:
    return video + 0.2 * torch.randn(video.shape, generator=tiny.rng(seed))


def with_bright_frame(video: Tensor, frame: int = 4, levels: float = 20) -> Tensor:
    video = video.clone()
    video[:, :, frame] += levels * LEVEL
    return video


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


@pytest.mark.parametrize("size", [11, 40])
def test_ssim_is_that_of_scikit_image(size):
    target = tiny.video(3, size=size)
    video = noisy(target)
    found = ssim(video, target)
    assert found.shape == (2,) and found.dtype == torch.float32
    options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=2, channel_axis=0)
    for row in range(2):
        pairs = [(target[row, :, t].double().numpy() + 1, video[row, :, t].clamp(-1, 1).double().numpy() + 1) for t in range(3)]
        expected = np.mean([structural_similarity(*pair, **options) for pair in pairs])
        assert expected < 0.99 and found[row].item() == pytest.approx(expected, abs=1e-5)


def ms_ssim_of_a_channel(video: np.ndarray, target: np.ndarray, betas: list[float]) -> list[tuple[float, float]]:
    """Contrast and full similarity of one channel `[H, W]` at each scale."""

    def smooth(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, 1.5, truncate=3.5, mode="mirror")

    scales = []
    for _ in betas:
        means = smooth(video), smooth(target)
        variances = smooth(video**2) - means[0] ** 2, smooth(target**2) - means[1] ** 2
        contrast = (2 * (smooth(video * target) - means[0] * means[1]) + 0.06**2) / (sum(variances) + 0.06**2)
        light = (2 * means[0] * means[1] + 0.02**2) / (means[0] ** 2 + means[1] ** 2 + 0.02**2)
        scales.append((contrast[5:-5, 5:-5].mean(), (light * contrast).mean()))
        video, target = (rearrange(x, "(h a) (w b) -> h w a b", a=2, b=2).mean((2, 3)) for x in (video, target))
    return scales


@pytest.mark.parametrize(("size", "betas"), [(64, [0.0448, 0.2856, 0.3001]), (192, [0.0448, 0.2856, 0.3001, 0.2363, 0.1333])])
def test_ms_ssim_is_that_of_a_loop_over_scales(size, betas):
    target = blurred(tiny.video(1, size=size, batch_size=1))
    video = noisy(target)
    pairs = zip(video[0, :, 0].clamp(-1, 1).double().numpy() + 1, target[0, :, 0].double().numpy() + 1, strict=True)
    scales = np.mean([ms_ssim_of_a_channel(*pair, betas) for pair in pairs], axis=0)  # over channels; [scales, 2]
    chosen = [*scales[:-1, 0], scales[-1, 1]]
    expected = np.prod([x ** (beta / sum(betas)) for x, beta in zip(chosen, betas, strict=True)])
    assert expected < 0.98 and ms_ssim(video, target).item() == pytest.approx(expected, abs=1e-4)


def test_ms_ssim_takes_the_smallest_picture():
    target = tiny.video(1, size=11)
    assert ms_ssim(target, target).tolist() == pytest.approx([1, 1])
    assert (ms_ssim(noisy(target), target) < 0.999).all()


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_similarity_falls_with_blur(metric):
    video = sprites(num_frames=5)
    figures = [metric(x, video).item() for x in (video, blurred(video), blurred(blurred(video)))]
    assert figures[0] == pytest.approx(1, abs=1e-4) and figures[0] > figures[1] + 0.001 and figures[1] > figures[2] + 0.001


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_similarity_is_the_mean_over_frames(metric):
    target = tiny.video(2, size=32)
    video = noisy(target)
    video[:, :, 1] *= 0.5
    frames = [metric(video[:, :, [t]], target[:, :, [t]]) for t in range(2)]
    assert metric(video, target).tolist() == pytest.approx(((frames[0] + frames[1]) / 2).tolist(), abs=1e-5)
    assert (frames[0] - frames[1]).abs().min() > 1e-3  # else the order of batch and time could not matter


def test_temporal_error_by_hand():
    target = torch.zeros(1, 3, 3, 2, 2)
    video = with_bright_frame(target, frame=2, levels=8)  # the differences are off by 0 and 8
    assert temporal_error(video, target).item() == pytest.approx((8**2 / 2) ** 0.5, rel=1e-4)
    assert temporal_error(video[:, :, :1], target[:, :, :1]).tolist() == [0]


def test_temporal_error_sees_what_psnr_does_not():
    target = sprites() * 0.5
    constant = torch.where(tiny.video(1, size=64, batch_size=1) > 0, 0.1, -0.1)
    trembling = constant * torch.tensor([1, -1] * 8 + [1])[:, None, None]
    assert psnr(target + constant, target).item() == pytest.approx(psnr(target + trembling, target).item(), abs=1e-3)
    assert temporal_error(target + constant, target).item() < 0.01
    assert temporal_error(target + trembling, target).item() == pytest.approx(2 * 0.1 * 127.5, rel=1e-3)


def test_flicker_by_hand():
    course = torch.tensor([0.0, 0, 0, 50, 50, 60, 70, 40, 40, 10, 20, 20])  # a step, a ramp, a step; 10 is 10 too low
    video = (course * LEVEL)[None, None, :, None, None].expand(1, 3, -1, 2, 2)
    expected = (10 + 10) / 10  # 70 is 10 above 60, its higher neighbour; over T - 2 frames
    assert flicker(video).item() == pytest.approx(expected, rel=1e-4)
    assert flicker(video[:, :, :2]).tolist() == [0]


@pytest.mark.parametrize("index", range(6))
def test_flicker_is_one_bright_frame_rather_than_motion(index):
    video = sprites(index)
    assert motion_by_frame(video).mean() > 0.5  # there is motion to mistake
    assert flicker(video).item() < 0.25
    assert flicker(with_bright_frame(video)).item() > flicker(video).item() + 1


def test_sharpness_by_hand():
    ramp = torch.arange(4.0)[:, None] * 3 + torch.arange(4.0) * 4  # 5 levels per pixel
    video = torch.stack([ramp, 2 * ramp])[None, None].expand(2, 3, -1, -1, -1) * LEVEL
    assert sharpness_by_frame(video).tolist() == [pytest.approx([5, 10], rel=1e-4)] * 2
    assert sharpness(video).tolist() == pytest.approx([7.5, 7.5], rel=1e-4)
    corner = torch.tensor([[0.0, 4], [3, 90]])[None, None, None] * LEVEL  # both differences are taken from the same pixel
    assert sharpness(corner).item() == pytest.approx(5, rel=1e-4)


def test_sharpness_falls_with_blur():
    video = sprites()
    mixed = torch.cat([video[:, :, :8], blurred(video)[:, :, 8:]], dim=2)
    assert sharpness(blurred(video)) < 0.9 * sharpness(video)
    assert torch.equal(sharpness_by_frame(mixed)[:, :8], sharpness_by_frame(video)[:, :8])
    assert (sharpness_by_frame(mixed)[:, 8:] < 0.9 * sharpness_by_frame(video)[:, 8:]).all()


def test_motion_by_hand():
    video = torch.tensor([0.0, 10, 4, 4])[None, None, :, None, None].expand(2, 3, -1, 2, 2) * LEVEL
    assert motion_by_frame(video).tolist() == [pytest.approx([10, 6, 0], abs=1e-4)] * 2


def test_what_is_frozen():
    moving = sprites(0)  # moves in every frame
    half = torch.cat([moving, moving[:, :, -1:].expand(-1, -1, 16, -1, -1)], dim=2)
    assert frozen_share(moving).tolist() == [0]
    assert frozen_share(half).tolist() == [0.5]
    assert frozen_share(still()).tolist() == frozen_share(still(1)).tolist() == [1]


@pytest.mark.parametrize("colours", [1, 3])
def test_rounding_noise_is_frozen(colours):
    noise = torch.randint(0, 2, (1, colours, 9, 64, 64), generator=tiny.rng()) * 4 - 2
    assert motion_by_frame(still() + noise * LEVEL).min() > 1.5
    assert frozen_share(still() + noise * LEVEL).tolist() == [1]
    assert frozen_share(still() + 3 * noise * LEVEL).tolist() == [0]


def test_the_smallest_motion_counts_even_at_the_border():
    video = torch.zeros(1, 3, 3, 12, 20)
    video[:, 0, 1:, 11, 19] = 30 * LEVEL  # in a block of 4 x 4; the root mean square is 30 / sqrt(16 * 3)
    assert frozen_share(video, threshold=4.4).tolist() == [1]
    assert frozen_share(video, threshold=4.3).tolist() == [0.5]  # 4.33 in between


def test_frozen_share_refuses_a_threshold_that_nothing_stays_below():
    with pytest.raises(ValueError, match="got threshold 0; wanted levels above 0"):
        frozen_share(still(), threshold=0)


@pytest.mark.parametrize("metric", PAIRED)
def test_pairs_of_other_shapes_are_refused(metric):
    with pytest.raises(ValueError, match="wanted the same shape"):
        metric(torch.zeros(1, 3, 2, 16, 16), torch.zeros(1, 3, 1, 16, 16))


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_pictures_smaller_than_a_window_are_refused(metric):
    with pytest.raises(ValueError, match=r"shape \[1, 3, 2, 10, 16\] .*at least 11x11 pixels"):
        metric(*[torch.zeros(1, 3, 2, 10, 16)] * 2)


@pytest.mark.parametrize("metric", ALONE)
@pytest.mark.parametrize(
    "video", [torch.zeros(3, 2, 8, 8), torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8), torch.zeros(1, 3, 0, 8, 8)]
)
def test_what_is_no_video_is_refused(metric, video):
    with pytest.raises(ValueError, match=r"wanted float \[B, C, T, H, W\] in \[-1, 1\]"):
        metric(video)


@pytest.mark.parametrize("metric", [*PAIRED, *ALONE])
def test_rows_stand_alone_and_values_are_clamped(metric):
    """Two videos at once, beyond white and black, give the figures of each one, clamped before."""
    first, second = (noisy(2 * tiny.video(4, size=16, batch_size=1, seed=seed), seed=seed) for seed in (0, 1))
    others = [torch.cat([first.flip(2), second.flip(3)]).clamp(-1, 1)] if metric in PAIRED else []
    both = metric(torch.cat([first, second]), *others)
    alone = [metric(x.clamp(-1, 1), *(other[[i]] for other in others)) for i, x in enumerate((first, second))]
    assert both.dtype == torch.float32 and both.tolist() == torch.cat(alone).tolist()
    assert metric(torch.cat([first, second]).bfloat16(), *others).dtype == torch.float32
