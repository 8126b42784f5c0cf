"""The benchmark's arithmetic: ratios, shares of the limit, and rows that have no peer."""

import time
from dataclasses import replace
from functools import partial

import pytest
import torch

from benchmarks import detokenizing
from benchmarks.__main__ import skipped, spoken, table
from benchmarks.timing import Contest, Limits, compete, dtypes_of, often
from framecast import machine

CPU = torch.device("cpu")
LIMITS = Limits(bandwidth=1e9, arithmetic={torch.float32: 1e10, torch.bfloat16: 1e11})
NAPS = Contest("nap", partial(time.sleep, 0.01), 2, "nap", partial(time.sleep, 0.04), "a slower one", ">= 2", num_bytes=5e6)


def test_a_limit_is_the_longer_of_reading_and_computing():
    assert LIMITS.seconds(2e9, 1e10, torch.float32) == 2
    assert LIMITS.seconds(2e9, 1e11, torch.float32) == 10
    assert LIMITS.seconds(0, 1e11, torch.bfloat16) == 1


def test_this_machine_s_limits_are_numbers_that_can_be():
    limits = Limits.measure(CPU, side=256)
    assert 1e8 < limits.bandwidth < 1e13 and all(1e8 < most < 1e16 for most in limits.arithmetic.values())
    assert set(limits.arithmetic) == set(dtypes_of(CPU))


def test_what_a_machine_has_no_units_for_is_not_measured(monkeypatch):
    monkeypatch.setattr(machine, "product_rates", lambda: machine.ProductRates(float32=8e10, bfloat16=2e9))
    assert dtypes_of(CPU) == (torch.float32,) == tuple(Limits.measure(CPU, side=64).arithmetic)
    assert not any("bfloat16" in contest.name for contest in detokenizing.contests(CPU))
    monkeypatch.setattr(machine, "product_rates", lambda: machine.ProductRates(float32=8e10, bfloat16=2e11))
    assert dtypes_of(CPU) == (torch.bfloat16, torch.float32)


def test_a_contest_says_how_many_times_as_fast_and_how_near_the_limit():
    outcome = compete(NAPS, LIMITS, CPU, 3)
    assert outcome.ours >= 0.005 and outcome.peer >= 0.02
    assert 1.5 < outcome.ratio < 8
    assert outcome.share == pytest.approx(0.0025 / outcome.ours)


def test_a_row_without_a_peer_has_no_ratio():
    outcome = compete(replace(NAPS, peer=None, num_bytes=0.0), LIMITS, CPU, 3)
    assert outcome.peer is outcome.ratio is outcome.share is None
    assert skipped(outcome) == "skipped: a slower one is not installed"
    assert table([outcome], LIMITS).row_count == 1


def test_what_is_fast_is_done_often_enough_to_be_timed():
    calls: list[None] = []
    repeated, times = often(lambda: calls.append(None), CPU)
    calls.clear()
    repeated()
    assert len(calls) == times > 1000
    assert often(partial(time.sleep, 0.1), CPU)[1] == 1


@pytest.mark.parametrize(("seconds", "words"), [(2.0, "2 s"), (0.0314, "31.4 ms"), (5e-6, "5 us"), (2e-8, "20 ns")])
def test_times_are_spoken_in_units_that_fit(seconds, words):
    assert spoken(seconds) == words
