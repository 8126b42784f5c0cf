"""The Fréchet distance, against SciPy and by hand."""

import numpy as np
import pytest
import scipy.linalg
import tiny
import torch
from torch import Tensor

from framecast.evaluate.frechet import FeatureStatistics, frechet_distance, windows


def features(num: int, width: int = 6, seed: int = 0) -> Tensor:
    generator = tiny.rng(seed)
    mixing = torch.randn(width, width, generator=generator, dtype=torch.float64)
    return torch.randn(num, width, generator=generator, dtype=torch.float64) @ mixing + seed


def statistics(*args, **options) -> FeatureStatistics:
    return FeatureStatistics.of(features(*args, **options))


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
