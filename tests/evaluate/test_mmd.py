"""The discrepancy is zero of one kind, grows with the gap, and is what its definition says."""

import numpy as np
import pytest
import torch
from torch import Tensor

from framecast.evaluate.mmd import PairedMMD


def features(seed: int, shift: float = 0.0, count: int = 200) -> Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)) + shift


def whole(mmd: PairedMMD) -> float:
    return mmd(np.arange(mmd.num_pairs))


def test_it_is_about_zero_of_one_kind_and_grows_with_the_gap():
    same, near, far = (whole(PairedMMD(features(1, shift), features(0))) for shift in (0.0, 0.5, 1.0))
    assert abs(same) < 0.1 < near < far


def test_without_bias_the_mean_over_draws_of_one_kind_is_zero():
    found = [whole(PairedMMD(features(2 * seed, count=20), features(2 * seed + 1, count=20))) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / len(found) ** 0.5
    assert min(found) < 0


def test_it_equals_a_loop_over_all_pairs_of_pairs():
    made, true = features(1, 0.3, 6).double(), features(0, count=6).double()
    both = torch.cat([made, true])
    a, b = ((x - both.mean(0)) / both.std(0) for x in (made, true))

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 8 + 1) ** 3)

    places = [(i, j) for i in range(6) for j in range(6) if i != j]
    expected = np.mean([k(a[i], a[j]) + k(b[i], b[j]) - k(a[i], b[j]) - k(a[j], b[i]) for i, j in places])
    assert whole(PairedMMD(made, true)) == pytest.approx(expected)


def test_the_scale_and_the_origin_of_the_features_do_not_matter():
    made, true = features(1, 0.3), features(0)
    assert whole(PairedMMD(9 * made + 4, 9 * true + 4)) == pytest.approx(whole(PairedMMD(made, true)), rel=1e-6)


def test_its_interval_holds_it_and_a_pair_is_never_compared_with_itself():
    mmd = PairedMMD(features(1, 0.5), features(0))
    figure = mmd.figure("x", better="lower")
    assert figure.low < figure.value < figure.high and figure.count == 200
    assert np.isnan(mmd(np.zeros(200, dtype=int)))


@pytest.mark.parametrize("other", [torch.zeros(3, 4), torch.full((5, 4), float("nan"))], ids=["fewer", "not finite"])
def test_features_that_cannot_be_compared_are_refused(other):
    with pytest.raises(ValueError, match=r"wanted finite \[N, D\] of both"):
        PairedMMD(other, torch.zeros(5, 4))
