"""Checkpoints in a run: one that is stopped and resumed equals one that is not, and what cannot be saved is said."""

import os
import signal

import pytest
import torch
from trainings import fit_six, last

from framecast.train import LitVideoTokenizer


def stop_at(step: int, monkeypatch) -> None:
    """Sends SIGTERM in the middle of a step."""
    training_step = LitVideoTokenizer.training_step

    def step_and_signal(self, batch, batch_idx):
        if self.global_step == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return training_step(self, batch, batch_idx)

    monkeypatch.setattr(LitVideoTokenizer, "training_step", step_and_signal)


def assert_same(a: object, b: object, where: str) -> None:
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, pair in enumerate(zip(a, b, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    else:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, f"{where}: {a} is not {b}"


@pytest.mark.parametrize("step", [2, pytest.param(3, marks=pytest.mark.slow)])  # in the middle, and where a validation is due
def test_a_run_that_is_stopped_and_resumed_equals_one_that_is_not(tmp_path, monkeypatch, no_export, step):
    fit_six(tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(SystemExit) as stopped:
            fit_six(tmp_path / "parts")
    assert stopped.value.code == 128 + signal.SIGTERM
    assert last(tmp_path / "parts")["global_step"] == step
    fit_six(tmp_path / "parts", "--ckpt_path=last")
    whole, parts = last(tmp_path / "whole"), last(tmp_path / "parts")
    assert whole["global_step"] == parts["global_step"] == 6
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "random_state", "ClipDataModule"):
        assert_same(whole[key], parts[key], key)
    assert_same(whole["callbacks"]["EMA"], parts["callbacks"]["EMA"], "EMA")
    changed = last(tmp_path / "whole")
    next(iter(changed["state_dict"].values())).add_(1e-6)
    with pytest.raises(AssertionError):  # the comparison can fail
        assert_same(changed["state_dict"], parts["state_dict"], "state_dict")


def test_a_run_into_an_unwritable_folder_ends_before_it_starts(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(ValueError, match=r"checkpoints cannot be written to .*--trainer\.default_root_dir"):
        fit_six(tmp_path)


def test_a_save_that_fails_ends_the_run(tmp_path, monkeypatch, capsys, no_export):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(SystemExit) as failed:
        fit_six(tmp_path)
    assert failed.value.code == 1
    assert "could not save the checkpoint" in capsys.readouterr().err
