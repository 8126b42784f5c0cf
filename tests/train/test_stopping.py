"""Signals at every moment of a training: the exit status is theirs, and what was learned is kept."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from framecast.data.loading import LoaderError
from framecast.sample import load_bundle
from framecast.train import AtomicCheckpointIO, ClipDataModule, ExportBundle, LitVideoTokenizer
from framecast.train.cli import main
from framecast.train.so_far import remove_so_far, write_so_far
from framecast.train.stopping import Stopped, StopSignals

REPO = Path(__file__).parents[2]
QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.log_every_n_steps=1")
TINY = ("fit", "--config", "tiny_tokenizer", "--trainer.max_steps=4", "--trainer.val_check_interval=2", *QUIET)


@pytest.fixture(autouse=True)
def no_export(monkeypatch):
    monkeypatch.setattr(ExportBundle, "on_fit_end", lambda *_: None)


def run(folder: Path, *options: str) -> int:
    """The exit status of a training."""
    try:
        main([*TINY, f"--trainer.default_root_dir={folder}", *options])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def last(folder: Path) -> dict:
    return AtomicCheckpointIO().load_checkpoint(folder / "checkpoints" / "last.ckpt")


def signal_in(monkeypatch, owner: type, method: str, number: int, wanted=lambda module: True) -> list[None]:
    """Lets a signal come before a method's first call that is wanted; counts the calls from that one on."""
    original, calls = getattr(owner, method), []

    def signalled(self, *args, **kwargs):
        if calls or wanted(self):
            calls.append(None)
            if len(calls) == 1:
                os.kill(os.getpid(), number)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, method, signalled)
    return calls


def assert_goes_on_as_if_nothing_had_been(tmp_path: Path, *options: str) -> None:
    """Of the run in `parts`, that was stopped, and one that was not."""
    assert run(tmp_path / "parts", *options, "--ckpt_path=last") == 0
    assert run(tmp_path / "whole", *options) == 0
    whole, parts = last(tmp_path / "whole"), last(tmp_path / "parts")
    assert whole["global_step"] == parts["global_step"] == 4
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, parts["state_dict"][name]), name
    average = parts["callbacks"]["EMA"]["average"]
    assert all(torch.equal(value, average[name]) for name, value in whole["callbacks"]["EMA"]["average"].items())


@pytest.mark.parametrize("batch", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_gradients_that_are_being_accumulated_are_not_lost(tmp_path, monkeypatch, batch):
    accumulating = "--trainer.accumulate_grad_batches=2"
    started: list[int] = []

    def wanted(module) -> bool:
        started.append(module.global_step)
        return module.global_step == 1 and started.count(1) == 1 + batch

    with monkeypatch.context() as patch:
        signal_in(patch, LitVideoTokenizer, "training_step", signal.SIGTERM, wanted)
        assert run(tmp_path / "parts", accumulating) == 128 + signal.SIGTERM
    assert last(tmp_path / "parts")["global_step"] == 2
    assert last(tmp_path / "parts")["ClipDataModule"]["position"] == 8  # whole steps
    assert_goes_on_as_if_nothing_had_been(tmp_path, accumulating)


def test_a_validation_ends_after_its_present_batch(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        calls = signal_in(patch, LitVideoTokenizer, "validation_step", signal.SIGINT, lambda module: module.global_step == 2)
        assert run(tmp_path / "parts") == 128 + signal.SIGINT
    assert len(calls) == 1  # of two
    assert "stopped by SIGINT at step 2; go on with --ckpt_path last" in capsys.readouterr().err
    assert last(tmp_path / "parts")["global_step"] == 2
    assert_goes_on_as_if_nothing_had_been(tmp_path)


def test_ctrl_c_leaves_a_bundle_of_what_there_is_and_sigterm_does_not(tmp_path, monkeypatch, capsys):
    for number in (signal.SIGTERM, signal.SIGINT):
        with monkeypatch.context() as patch:
            signal_in(patch, LitVideoTokenizer, "training_step", number, lambda module: module.global_step == 1)
            assert run(tmp_path / number.name) == 128 + number
    assert not (tmp_path / "SIGTERM" / "bundle_so_far").exists()
    assert f"framecast export {tmp_path / 'SIGTERM'}" in capsys.readouterr().err
    folder = tmp_path / "SIGINT" / "bundle_so_far"
    average = last(tmp_path / "SIGINT")["callbacks"]["EMA"]["average"]
    weights = load_bundle(folder).tokenizer.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in average.items())
    assert not (tmp_path / "SIGINT" / "bundle").exists()
    write_so_far(tmp_path / "SIGINT", str(tmp_path / "none.ckpt"))
    said = capsys.readouterr().err
    assert "a second Ctrl-C skips it" in said and "no bundle of what there is: checkpoint" in said
    remove_so_far(tmp_path / "SIGINT")
    assert not folder.exists()


def test_what_is_no_bundle_is_not_removed(tmp_path):
    (tmp_path / "bundle_so_far").mkdir()
    (tmp_path / "bundle_so_far" / "notes.txt").write_text("mine")
    remove_so_far(tmp_path)
    assert (tmp_path / "bundle_so_far" / "notes.txt").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_the_first_step_there_is_nothing_to_keep(tmp_path, monkeypatch, capsys, number):
    signal_in(monkeypatch, LitVideoTokenizer, "validation_step", number)  # in the sanity check
    assert run(tmp_path) == 128 + number
    assert f"stopped by {number.name} before its first step" in capsys.readouterr().err
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_a_wait_for_clips_is_left_at_once(tmp_path, monkeypatch):
    def wanted(module) -> bool:
        return module.trainer.global_step == 2 and module.trainer.training

    signal_in(monkeypatch, ClipDataModule, "on_after_batch_transfer", signal.SIGTERM, wanted)  # a batch has just come
    assert run(tmp_path) == 128 + signal.SIGTERM
    assert last(tmp_path)["global_step"] == 2


def test_a_validation_that_fails_keeps_the_steps_before_it(tmp_path, monkeypatch, capsys):
    step = LitVideoTokenizer.validation_step

    def fail(self, *given):
        if self.global_step == 2:
            raise LoaderError("clip 60 cannot be loaded")
        return step(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(LitVideoTokenizer, "validation_step", fail)
        assert run(tmp_path / "parts") == 1
    assert "clip 60 cannot be loaded" in capsys.readouterr().err
    assert last(tmp_path / "parts")["global_step"] == 2
    assert_goes_on_as_if_nothing_had_been(tmp_path)


def test_bad_steps_that_end_the_run_leave_a_checkpoint(tmp_path, monkeypatch, capsys):
    step = LitVideoTokenizer.training_step

    def spoil(self, *given):
        output = step(self, *given)
        return {**output, "loss": output["loss"] * float("nan")} if self.global_step >= 2 else output

    monkeypatch.setattr(LitVideoTokenizer, "training_step", spoil)
    assert run(tmp_path, "--trainer.max_steps=20", "--trainer.val_check_interval=20") == 1
    assert "for 10 steps in a row, up to step 12; the weights are those from before" in capsys.readouterr().err
    assert last(tmp_path)["global_step"] == 12
    assert all(value.isfinite().all() for value in last(tmp_path)["state_dict"].values())


def test_the_handlers_are_those_of_before_afterwards(tmp_path, monkeypatch):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    signal_in(monkeypatch, LitVideoTokenizer, "training_step", signal.SIGTERM)
    run(tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_held_signal_waits_and_a_free_one_does_not():
    with StopSignals() as signals:
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
    with StopSignals() as signals:
        signals.hold()
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.number == signal.SIGINT
        with pytest.raises(Stopped) as stopped:
            signals.release()
    assert stopped.value.status == 130


def test_signals_that_come_together_are_one(monkeypatch):
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"left with {status}"))
    with StopSignals() as signals:
        signals.hold()
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped) as stopped:
            signals.release()
    assert stopped.value.status == 130


TWICE = """
import runpy, time
StopSignals = runpy.run_path("train/stopping.py")["StopSignals"]  # alone, since the package takes seconds
with StopSignals(grace=0.2) as signals:
    signals.hold()
    print("held", flush=True)
    while True:
        time.sleep(0.1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_with_its_status(number):
    process = subprocess.Popen([sys.executable, "-c", TWICE], cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    process.send_signal(number)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(10) == 128 + number
