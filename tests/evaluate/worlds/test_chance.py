"""What is named is told above chance: a judge that knows nothing gives no figure, however often it is right."""

import numpy as np
import pytest

from framecast.evaluate.worlds.chance import AT_CHANCE, TOO_FEW, balanced_figure, gain_figure, kept_gain, tally

RNG = np.random.default_rng(0)
TRUTHS = [RNG.choice(3, size=200, p=[0.8, 0.1, 0.1]) for _ in range(12)]
GROUPS = list(range(12))


def named(share: float, truths=TRUTHS, seed: int = 1) -> list[np.ndarray]:
    """The truth in a share of the frames, anything elsewhere."""
    rng = np.random.default_rng(seed)
    return [np.where(rng.random(len(truth)) < share, truth, rng.integers(3, size=len(truth))) for truth in truths]


def counts(guesses, truths=TRUTHS, groups=GROUPS):
    return tally(guesses, truths, 3, groups)


def test_balanced_accuracy_counts_each_class_alike():
    truth = [np.array([0, 0, 0, 0, 0, 0, 1, -1]), np.array([0, 0, 1, 1]), np.array([1, 1])]
    always = [np.zeros_like(each) for each in truth]
    assert balanced_figure("", counts(always, truth, [0, 1, 2])).value == 50
    assert balanced_figure("", counts(truth, truth, [0, 1, 2])).value == 100
    found = balanced_figure("", counts([truth[0], always[1], truth[2]], truth, [0, 1, 2]))
    assert found.low < found.value < found.high and found.count == 3


def test_chance_is_that_of_the_classes_that_occur():
    whole = np.ones((1, 12), dtype=np.int64)
    assert counts(TRUTHS).chance(whole)[0] == pytest.approx(100 / 3)
    two = [np.minimum(truth, 1) for truth in TRUTHS]
    assert counts(two, two).chance(whole)[0] == 50 and counts(two, two).gain(whole)[0] == 50
    one = [np.zeros_like(truth) for truth in TRUTHS]
    assert np.isnan(counts(one, one).chance(whole)[0]), "what never changes cannot be named"


def test_what_is_kept_of_what_the_judge_knows():
    found = kept_gain("kept", [counts(named(0.45))], [counts(named(0.9, seed=2))], target=">= 95 (W3)")
    assert 40 < found.low < found.value < found.high < 62 and found.count == 12
    assert found.value == pytest.approx(50, abs=7)
    same = kept_gain("kept", [counts(named(0.9))], [counts(named(0.9))])
    assert (same.low, same.value, same.high) == pytest.approx((100, 100, 100))
    nothing = kept_gain("kept", [counts(named(0.0))], [counts(named(0.9))])
    assert nothing.value == pytest.approx(0, abs=8) and nothing.low < 0, "below chance is below 0, and not hidden"


@pytest.mark.parametrize("judge", [named(0.0), [np.zeros_like(truth) for truth in TRUTHS]])
def test_a_judge_at_chance_says_nothing(judge):
    right = np.mean([(guess == truth).mean() for guess, truth in zip(judge, TRUTHS, strict=True)])
    found = kept_gain("kept", [counts(judge)], [counts(judge)], target=">= 95 (W3)")
    assert np.isnan(found.value) and found.lacking == AT_CHANCE and found.count == 12
    assert right > 0.3, "plain accuracies of the two are alike, and their ratio would be 100 %"


def test_all_choices_together_are_the_mean_of_their_gains():
    true, made = [counts(named(0.9)), counts(named(0.5, seed=3))], [counts(named(0.9)), counts(named(0.0, seed=4))]
    gains = [gain_figure("", [each]).value for each in (*made, *true)]
    assert gain_figure("", true).value == pytest.approx((gains[2] + gains[3]) / 2)
    expected = 100 * (gains[0] + gains[1]) / (gains[2] + gains[3])
    assert kept_gain("", made, true).value == pytest.approx(expected)


def test_stretches_of_one_video_share_its_fate():
    share = np.random.default_rng(5).random(4)
    mixed = [named(share[at // 3], [TRUTHS[at]], at)[0] for at in range(12)]
    alone, together = gain_figure("", [counts(mixed)]), gain_figure("", [counts(mixed, groups=[at // 3 for at in range(12)])])
    assert alone.value == pytest.approx(together.value) and alone.count == together.count == 12
    assert together.high - together.low > alone.high - alone.low


def test_two_stretches_have_no_interval():
    few = counts(TRUTHS[:2], TRUTHS[:2], [0, 1])
    assert np.isnan(gain_figure("", [few]).low)
    assert kept_gain("", [few], [few]).lacking == TOO_FEW
