"""Figures and their intervals."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from framecast.evaluate.figures import change_of, mean_of, median_of, middle_of_all, share_of


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
    assert mean_of("x", [1.0, 2.0], scale=100, target="<= 5", better="lower", reference=1.0).target == "<= 5"


def test_changes_either_way_do_not_cancel_and_are_taken_of_sums():
    assert change_of("x", [(10.0, 9.0), (30.0, 27.0)]).value == pytest.approx(10)
    assert change_of("x", [(10.0, 11.0), (30.0, 33.0)]).value == pytest.approx(10)
    figure = change_of("x", [(10.0, 5.0), (10.0, 20.0)])
    assert (
        figure.value == pytest.approx(25)
        and (figure.low, figure.high) == pytest.approx((25, 100))
        and (figure.count, figure.unit) == (2, "%")
    )


def test_values_of_one_clip_are_not_independent():
    rows = np.random.default_rng(4).normal(size=(10, 1)) + np.zeros((10, 400))
    pooled, by_clip = median_of("x", rows.ravel().tolist()), middle_of_all("x", rows)
    assert by_clip.value == pooled.value and by_clip.count == 10
    assert by_clip.high - by_clip.low > 3 * (pooled.high - pooled.low)
    holes = rows.copy()
    holes[3] = np.nan
    assert middle_of_all("x", holes).count == 9 and np.isnan(middle_of_all("x", np.full((2, 2), np.nan)).value)
