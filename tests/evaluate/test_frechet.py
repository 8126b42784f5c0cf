"""The Fréchet distance, against SciPy and by hand, and features that must see a video break."""

import numpy as np
import pytest
import scipy.linalg
import tiny
import torch
from einops import rearrange
from torch import Tensor, nn

from framecast.data import SpriteWorld, to_video
from framecast.evaluate.frechet import (
    FeatureExtractor,
    FeatureStatistics,
    TokenizerFeatures,
    frechet_distance,
    windows,
)


def features(num: int, width: int = 6, seed: int = 0) -> Tensor:
    generator = tiny.rng(seed)
    mixing = torch.randn(width, width, generator=generator, dtype=torch.float64)
    return torch.randn(num, width, generator=generator, dtype=torch.float64) @ mixing + seed


def statistics(*args, **options) -> FeatureStatistics:
    return FeatureStatistics.of(features(*args, **options))


def clips(first: int, num: int = 48) -> Tensor:
    world = SpriteWorld(num_frames=16, size=32)
    return torch.stack([world[index].frames for index in range(first, first + num)])


def slow_pans(seed: int, num: int = 48) -> Tensor:
    """Large spots that slide by a pixel each frame: in a wrong order they jump, everywhere."""
    cells = torch.rand(num, 3, 4, 4, generator=tiny.rng(seed)) * 255
    pictures = nn.functional.interpolate(cells, size=(32, 48), mode="bicubic").clamp(0, 255).to(torch.uint8)
    pans = [pictures[..., t : t + 32] for t in range(16)]
    return rearrange(pans, "t b c h w -> b t h w c")


def test_statistics_are_those_of_numpy():
    found = statistics(50)
    assert found.count == 50 and found.mean.dtype == found.scatter.dtype == torch.float64
    np.testing.assert_allclose(found.mean, features(50).numpy().mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(features(50).numpy(), rowvar=False))


@pytest.mark.parametrize("cuts", [[1, 49], [10, 10, 30], [1] * 50])
def test_merging_batches_is_the_same_as_one_batch(cuts):
    values = 1e6 + features(50)  # far from zero, where sums of squares lose their digits
    first, *rest = [FeatureStatistics.of(part) for part in values.split(cuts)]
    for part in rest:
        first = first.merge(part)
    whole = FeatureStatistics.of(values)
    assert first.count == 50
    torch.testing.assert_close(first.mean, whole.mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(first.scatter, whole.scatter, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("num", [4, 100])  # four features in six dimensions: the covariances are singular
def test_distance_is_that_of_scipy(num):
    a, b = statistics(num), statistics(num, seed=1)
    jitter = (1e-9 if num == 4 else 0) * np.eye(6)  # for `sqrtm`, which is lost where a matrix is singular
    root = scipy.linalg.sqrtm((a.covariance.numpy() + jitter) @ (b.covariance.numpy() + jitter)).real
    expected = ((a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * np.trace(root)).item()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-3 if num == 4 else 1e-9)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_distance_by_hand():
    """Between normals of one dimension it is `(mean - mean)^2 + (std - std)^2`."""
    a = FeatureStatistics.of(torch.tensor([[-1.0], [1.0]]))  # variance 2
    b = FeatureStatistics.of(torch.tensor([[0.0], [6.0]]))  # mean 3, variance 18
    assert frechet_distance(a, b) == pytest.approx(9 + (18**0.5 - 2**0.5) ** 2)


@pytest.mark.parametrize("num", [3, 40])
def test_distance_to_oneself_is_zero_and_never_below(num):
    assert 0 <= frechet_distance(statistics(num), statistics(num)) < 1e-6


def test_statistics_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="got features of width 6 and 5; wanted the same width"):
        frechet_distance(statistics(9), statistics(9, width=5))
    with pytest.raises(ValueError, match="got features of width 6 and 5; wanted the same width"):
        statistics(9).merge(statistics(9, width=5))
    with pytest.raises(ValueError, match="got statistics of 1 feature; wanted at least 2"):
        frechet_distance(statistics(9), statistics(1))


@pytest.mark.parametrize("values", [torch.zeros(3), torch.zeros(0, 3), torch.tensor([[0.0, torch.nan]])])
def test_features_that_are_none_are_refused(values):
    with pytest.raises(ValueError, match=r"wanted finite features \[N, D\]"):
        FeatureStatistics.of(values)


def test_windows_follow_each_other():
    frames = torch.arange(37)[:, None, None, None].expand(-1, 2, 2, 3)
    found = windows(frames)
    assert found.shape == (2, 16, 2, 2, 3)
    assert found[:, :, 0, 0, 0].tolist() == [list(range(16)), list(range(16, 32))]
    assert windows(frames, length=37).shape[0] == 1
    with pytest.raises(ValueError, match=r"for windows of 38; wanted .* T >= length"):
        windows(frames, length=38)


def test_tokenizer_features_by_hand():
    """The head of the encoder, put on by hand, gives the latents of `encode`, so the features are of what it sees."""
    tokenizer = tiny.tokenizer()
    frames = clips(0, num=2)
    found = TokenizerFeatures(tokenizer, "tiny")(frames[:, :13])  # 1 + 4 * 3: nothing but what `encode` repeats
    seen = []
    tokenizer.encoder.head.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    tokenizer.encode(to_video(frames[:, :13]))
    latents = seen[0].detach().double()  # [B, t, h, w, C]
    parts = [latents.mean((1, 2, 3)), latents.var((1, 2, 3), correction=0).sqrt(), latents.diff(dim=1).abs().mean((1, 2, 3))]
    torch.testing.assert_close(found.double(), torch.cat(parts, dim=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_frames", [1, 2, 13, 16])
def test_missing_frames_are_the_first_one(num_frames):
    extractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    frames = clips(0, num=2)[:, :num_frames]
    longer = torch.cat([frames[:, :1].expand(-1, -(num_frames - 1) % 4, -1, -1, -1), frames], dim=1)
    assert extractor(frames).shape == (2, 24) and torch.equal(extractor(frames), extractor(longer))


@pytest.mark.parametrize("broken", ["frozen", "bright", "shuffled"])
def test_tokenizer_features_see_a_video_break(broken):
    """What is broken is further from true videos than other true videos are."""
    extractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    true, others = (slow_pans(0), slow_pans(1)) if broken == "shuffled" else (clips(0), clips(48))
    order = torch.randperm(16, generator=tiny.rng())
    worse = {"frozen": others[:, :1].expand_as(others), "bright": others.clamp(min=60), "shuffled": others[:, order]}
    known, fine, found = (FeatureStatistics.of(extractor(frames)) for frames in (true, others, worse[broken]))
    assert frechet_distance(known, found) > 1.5 * frechet_distance(known, fine)


def test_tokenizer_features_say_what_they_are():
    extractor: FeatureExtractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    assert extractor.name == "tiny" and not extractor.comparable


@pytest.mark.parametrize("frames", [torch.zeros(2, 16, 32, 32, 3), torch.zeros(16, 32, 32, 3, dtype=torch.uint8)])
def test_extractors_refuse_other_frames(frames):
    with pytest.raises(ValueError, match=r"wanted uint8 \[B, T, H, W, 3\]"):
        TokenizerFeatures(tiny.tokenizer(), "tiny")(frames)


def test_tokenizer_features_refuse_a_size_the_tokenizer_does_not_take():
    with pytest.raises(ValueError, match="got frames of 30x32 pixels; wanted multiples of 8"):
        TokenizerFeatures(tiny.tokenizer(), "tiny")(clips(0, num=1)[:, :, :30])
