"""The optimizer and its schedule."""

from itertools import pairwise

import pytest
from trainings import module

from framecast.train import EMA, AdamWConfig
from framecast.train.optim import learning_rate_share


def test_the_learning_rate_rises_then_falls():
    shares = [learning_rate_share(step, 100, 10, 0.05) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[10] == max(shares) == 1
    assert shares[100] == pytest.approx(0.05)
    assert all(a >= b for a, b in pairwise(shares[10:]))


def test_only_matrices_decay():
    groups = AdamWConfig().optimizer(module()).param_groups
    assert {p.ndim >= 2 for p in groups[0]["params"]} == {True}
    assert {p.ndim >= 2 for p in groups[1]["params"]} == {False}
    assert (groups[0]["weight_decay"], groups[1]["weight_decay"]) == (0.05, 0.0)


def test_bad_optimizer_settings_are_named():
    with pytest.raises(ValueError, match="learning_rate > 0"):
        AdamWConfig(learning_rate=0)
    with pytest.raises(ValueError, match="0 <= decay < 1"):
        EMA(decay=1.0)
