"""Which precision a machine is fast in is measured, not assumed."""

import os
import warnings

import pytest
import torch

from framecast import machine
from framecast.machine import ProductRates, SlowPrecision, bfloat16_pays, product_rates, warn_if_slow
from framecast.train.trainer import Trainer

FAST, SLOW = ProductRates(float32=1.6e11, bfloat16=1.2e12), ProductRates(float32=7.7e10, bfloat16=2.3e9)


@pytest.fixture(autouse=True)
def nothing_decided(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.delenv("FRAMECAST_PRECISION", raising=False)


def rates(monkeypatch, these: ProductRates) -> None:
    monkeypatch.setattr(machine, "product_rates", lambda: these)
    monkeypatch.setattr("framecast.train.trainer.product_rates", lambda: these)


def trainer(**options) -> Trainer:
    return Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, **options)


def test_rates_are_numbers_that_can_be_and_are_found_once():
    threads = torch.get_num_threads()
    found = product_rates()
    assert 1e8 < found.float32 < 1e14 and 1e7 < found.bfloat16 < 1e15
    assert product_rates() is found and torch.get_num_threads() == threads


@pytest.mark.parametrize(("these", "precision"), [(FAST, "bf16-mixed"), (SLOW, "32-true")])
def test_auto_takes_what_is_faster_and_says_both_rates(monkeypatch, caplog, these, precision):
    rates(monkeypatch, these)
    with caplog.at_level("INFO", logger="lightning.pytorch.utilities.rank_zero"):
        assert trainer().precision == precision
    spoken = "1,200 GFLOP/s in bfloat16, 160" if these is FAST else "2.3 GFLOP/s in bfloat16, 77"
    assert [f"precision: {precision} (products {spoken} GFLOP/s in float32)"] == [
        record.message for record in caplog.records if "precision" in record.message
    ]


def test_a_process_that_another_one_started_takes_what_that_has_decided(monkeypatch):
    rates(monkeypatch, SLOW)
    monkeypatch.setenv("FRAMECAST_PRECISION", "bf16-mixed")
    assert trainer().precision == "32-true"  # a run of its own decides anew
    assert os.environ["FRAMECAST_PRECISION"] == "32-true"
    monkeypatch.setenv("FRAMECAST_PRECISION", "bf16-mixed")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert trainer().precision == "bf16-mixed"


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_a_slow_precision_that_was_asked_for_is_taken_with_a_warning(monkeypatch, precision):
    rates(monkeypatch, SLOW)
    with pytest.warns(SlowPrecision, match=r"bfloat16 is 33 times as slow as float32 on this machine .*take float32"):
        assert trainer(precision=precision).precision == precision
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPrecision)
        trainer(precision="32")
        rates(monkeypatch, FAST)
        trainer(precision=precision)


def test_only_a_slow_bfloat16_on_a_cpu_is_warned_of(monkeypatch):
    rates(monkeypatch, SLOW)
    assert not bfloat16_pays("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPrecision)
        warn_if_slow(torch.float32, "cpu")
        warn_if_slow(torch.bfloat16, "cuda")
        with pytest.raises(SlowPrecision):
            warn_if_slow(torch.bfloat16, "cpu")


def test_processes_that_would_train_apart_are_refused():
    from lightning.pytorch.strategies import ModelParallelStrategy

    with pytest.raises(ValueError, match=r"ModelParallelStrategy with 2 processes, which would train apart .*strategy: ddp"):
        trainer(strategy=ModelParallelStrategy(data_parallel_size=2), devices=2)


@pytest.mark.parametrize(("cores", "chosen", "expected"), [(2, None, 1), (1, None, 1), (16, None, 2), (2, "2", 2)])
def test_a_core_is_left_free_and_given_back(monkeypatch, cores, chosen, expected):
    monkeypatch.setattr(machine, "num_cores", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with machine.core_left_free():
            inside = torch.get_num_threads()
        assert (inside, torch.get_num_threads()) == (expected, 2)
    finally:
        torch.set_num_threads(before)
