"""Figures and their intervals."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, bootstrap

from framecast.evaluate.figures import Sample, mean_of, median_of, middle_of_all, ratio_of, share_of, worst_and_typical


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(1).exponential(size=80)
    figure = mean_of("x", list(values))
    expected = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    assert figure.value == pytest.approx(values.mean()) and figure.count == 80
    assert figure.low == pytest.approx(expected.confidence_interval.low, abs=0.03)
    assert figure.high == pytest.approx(expected.confidence_interval.high, abs=0.03)


def test_more_values_say_more():
    few, many = (mean_of("x", list(np.random.default_rng(3).normal(size=count))) for count in (20, 2000))
    assert many.high - many.low < (few.high - few.low) / 5


def test_what_was_not_measured_does_not_count():
    figure = share_of("x", [True, float("nan"), False, True, True])
    assert (figure.value, figure.count, figure.unit) == (75.0, 4, "%")
    nothing = mean_of("x", [float("nan")])
    assert np.isnan(nothing.value) and nothing.count == 0


def test_a_median_ignores_what_is_far_off():
    assert median_of("x", [1.0, 2.0, 900.0]).value == 2.0 and mean_of("x", [1.0, 2.0, 900.0]).value == 301.0
    assert mean_of("x", [1.0, 2.0], scale=100.0, target="<= 5", better="lower", reference=1.0).target == "<= 5"


def test_objects_of_one_clip_share_its_fate():
    hits, clips = [True, True, False, False] * 20, [at // 2 for at in range(80)]
    alone, together = share_of("x", hits), share_of("x", hits, clips)
    assert alone.value == together.value == 50 and alone.count == together.count == 80
    assert together.high - together.low == pytest.approx((alone.high - alone.low) * 2**0.5, rel=0.1)


@pytest.mark.parametrize("value", [True, False])
def test_all_of_a_few_is_not_certain(value):
    figure, exact = share_of("x", [value] * 8), binomtest(8 * value, 8).proportion_ci(method="exact")
    assert (figure.low, figure.high) == pytest.approx((100 * exact.low, 100 * exact.high))
    of_four_clips = share_of("x", [value] * 8, [0, 0, 1, 1, 2, 2, 3, 3])
    assert of_four_clips.high - of_four_clips.low > figure.high - figure.low


@pytest.mark.parametrize("make", [mean_of, median_of, share_of, lambda name, rows: ratio_of(name, rows, [1.0] * len(rows))])
def test_of_two_clips_nobody_knows_how_clips_differ(make):
    two, three = make("x", [1.0, 1.0]), make("x", [1.0, 1.0, 1.0])
    assert np.isnan([two.low, two.high]).all() and not np.isnan([three.low, three.high]).any()
    assert two.value == three.value and two.count == 2


def test_values_of_two_clips_have_no_interval_however_many_they_are():
    assert np.isnan(mean_of("x", [1.0, 2.0, 3.0, 4.0], clips=[0, 0, 1, 1]).low)
    assert np.isnan(share_of("x", [True] * 4, [0, 0, 1, 1]).low)


def test_values_of_one_clip_are_not_independent():
    rows = np.random.default_rng(4).normal(size=(10, 1)) + np.zeros((10, 400))
    pooled, by_clip = median_of("x", rows.ravel().tolist()), middle_of_all("x", rows)
    assert by_clip.value == pooled.value and by_clip.count == 10
    assert by_clip.high - by_clip.low > 3 * (pooled.high - pooled.low)
    holes = rows.copy()
    holes[3] = np.nan
    assert middle_of_all("x", holes).count == 9 and np.isnan(middle_of_all("x", np.full((2, 2), np.nan)).value)


def test_a_ratio_is_of_the_sums_and_its_interval_of_whole_clips():
    found = ratio_of("motion", [1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    assert found.value == found.low == found.high == 0.5 and found.count == 3
    uneven = ratio_of("motion", [1.0, 9.0, 2.0], [2.0, 4.0, 6.0])
    assert uneven.value == 1.0 and uneven.low < 0.6 and uneven.high > 1.5
    assert np.isnan(ratio_of("motion", [1.0], [0.0]).value)


def test_the_worst_and_as_many_from_the_middle_are_shown():
    clips = [Sample(str(at), "note", float(at), torch.zeros(1, 2, 2, 3, dtype=torch.uint8)) for at in range(9)]
    shown = worst_and_typical(clips, 2)
    assert [sample.label for sample in shown] == ["8", "7", "5", "4"]
    assert [sample.note for sample in shown] == ["worst: note", "worst: note", "typical: note", "typical: note"]
    assert len(worst_and_typical(clips[:3], 2)) == 3
