"""What actions are worth, and whether rewards and ends are foretold."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pearsonr

from framecast.evaluate.worlds.prediction import area_under_curve, correlation, explained, over_clips


def test_measures_are_those_of_scipy():
    rng = np.random.default_rng(0)
    true = rng.normal(size=200).round(1)
    guess = (true + rng.normal(size=200)).round(1)
    assert correlation(guess, true) == pytest.approx(pearsonr(guess, true).statistic)
    ends = (true > 0.5).astype(float)
    wanted = mannwhitneyu(guess[ends == 1], guess[ends == 0]).statistic / (ends.sum() * (1 - ends).sum())
    assert area_under_curve(guess, ends) == pytest.approx(wanted)
    assert explained(true, true) == 1 and explained(np.full(200, true.mean()), true) == pytest.approx(0)


def test_what_never_changes_has_no_correlation():
    assert np.isnan(correlation(np.ones(5), np.arange(5.0))) and np.isnan(area_under_curve(np.ones(5), np.zeros(5)))
    assert np.isnan(explained(np.ones(5), np.ones(5)))


def test_the_interval_is_that_of_other_clips():
    rng = np.random.default_rng(0)
    true = [np.append(np.nan, rng.normal(size=8)) for _ in range(10)]
    figure = over_clips("reward", [np.nan_to_num(row) + rng.normal(size=9) for row in true], true, range(10), correlation)
    assert figure.low < figure.value < figure.high and figure.count == 10
    pairs = [at // 5 for at in range(10)]
    assert np.isnan(over_clips("reward", true, true, pairs, correlation).low), "two videos have no interval"


def test_two_clips_have_no_correlation():
    rows = [np.arange(9.0), np.arange(9.0)]
    figure = over_clips("reward", rows, rows, [0, 1], correlation)
    assert np.isnan(figure.value) and (figure.count, figure.lacking) == (2, "too few clips")
    still = over_clips("reward", [*rows, rows[0]], [np.ones(9)] * 3, [0, 1, 2], correlation)
    assert np.isnan(still.value) and still.lacking == "it never changes"
