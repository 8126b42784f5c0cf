"""Whole trainings with the tiny configuration, through the command line's own entry point."""

import os
import signal
from pathlib import Path

import pytest
import tiny
import torch

from framecast.sample import load_bundle, save_bundle
from framecast.tokenizer import FSQ, LFQ
from framecast.train import AtomicCheckpointIO, ExportBundle, LitVideoTokenizer
from framecast.train.cli import TrainCLI, main
from framecast.train.tokenizer_module import start_from

CONFIGS = Path(__file__).parents[2] / "train" / "configs"


def fit(folder: Path, *options: str) -> None:
    tiny = ["--config", str(CONFIGS / "tiny_tokenizer.yaml"), "--trainer.max_steps=6", "--trainer.val_check_interval=3"]
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    main(["fit", *tiny, *quiet, f"--trainer.default_root_dir={folder}", *options])


def last(folder: Path) -> dict:
    return AtomicCheckpointIO().load_checkpoint(folder / "checkpoints" / "last.ckpt")


@pytest.fixture
def no_export(monkeypatch):
    monkeypatch.setattr(ExportBundle, "on_fit_end", lambda *_: None)


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


@pytest.mark.parametrize("step", [2, 3])  # in the middle, and where a validation is due
def test_a_run_that_is_stopped_and_resumed_equals_one_that_is_not(tmp_path, monkeypatch, no_export, step):
    fit(tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(SystemExit) as stopped:
            fit(tmp_path / "parts")
    assert stopped.value.code == 128 + signal.SIGTERM
    assert last(tmp_path / "parts")["global_step"] == step
    fit(tmp_path / "parts", "--ckpt_path=last")
    whole, parts = last(tmp_path / "whole"), last(tmp_path / "parts")
    assert whole["global_step"] == parts["global_step"] == 6
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "random_state", "ClipDataModule"):
        assert_same(whole[key], parts[key], key)
    assert_same(whole["callbacks"]["EMA"], parts["callbacks"]["EMA"], "EMA")
    changed = last(tmp_path / "whole")
    next(iter(changed["state_dict"].values())).add_(1e-6)
    with pytest.raises(AssertionError):  # the comparison can fail
        assert_same(changed["state_dict"], parts["state_dict"], "state_dict")


def test_fit_ends_with_a_bundle_and_logs_what_it_did(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(tmp_path, "--trainer.log_every_n_steps=2")
    bundle = load_bundle(tmp_path / "bundle")
    average = last(tmp_path)["callbacks"]["EMA"]["average"]
    for name, parameter in bundle.tokenizer.named_parameters():
        assert torch.equal(parameter, average[name]), name  # the averaged weights, not the last ones
    log = EventAccumulator(str(tmp_path / "lightning_logs" / "version_0"))
    log.Reload()
    wanted = {"train/psnr", "val/psnr", "codebook/usage", "codebook/dead", "throughput/frames_per_second"}
    assert wanted <= set(log.Tags()["scalars"])
    (picture, *_) = log.Images("reconstructions")
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    assert b"acTL" in picture.encoded_image_string  # it moves


def test_a_run_into_an_unwritable_folder_ends_before_it_starts(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(ValueError, match=r"checkpoints cannot be written to .*--trainer\.default_root_dir"):
        fit(tmp_path)


def test_a_save_that_fails_ends_the_run(tmp_path, monkeypatch, capsys, no_export):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(SystemExit) as failed:
        fit(tmp_path)
    assert failed.value.code == 1
    assert "could not save the checkpoint" in capsys.readouterr().err


def test_a_second_config_cannot_drop_our_callbacks(tmp_path, monkeypatch):
    other = tmp_path / "other.yaml"
    other.write_text("trainer:\n  callbacks:\n    - class_path: lightning.pytorch.callbacks.DeviceStatsMonitor\n")
    monkeypatch.setattr(TrainCLI, "_run_subcommand", lambda *_: None)
    cli = TrainCLI(["fit", "--config", str(CONFIGS / "tiny_tokenizer.yaml"), "--config", str(other)])
    names = {type(callback).__name__ for callback in cli.trainer.callbacks}
    ours = {
        "RichProgressBar",
        "EMA",
        "CodebookGuard",
        "Throughput",
        "LearningRateMonitor",
        "Checkpointing",
        "ExportBundle",
    }
    assert {"DeviceStatsMonitor", "Reconstructions"} | ours <= names
    assert isinstance(cli.trainer.strategy.checkpoint_io, AtomicCheckpointIO)


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_parses(config, capsys):
    with pytest.raises(SystemExit) as printed:
        main(["fit", "--config", str(config), "--print_config"])
    assert printed.value.code in (0, None)
    assert "class_path: framecast.train.Lit" in capsys.readouterr().out


def test_help_explains_the_network(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--model.help=framecast.train.LitVideoTokenizer"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Side of the square of pixels" in text  # attribute docstrings of the config dataclass
    assert "Step from which a discriminator joins in" in text


def test_a_run_starts_from_a_bundle(tmp_path):
    fit(tmp_path / "first")
    still = ["--trainer.max_steps=1", "--trainer.val_check_interval=1", "--model.init_args.optimizer.learning_rate=1e-12"]
    fit(tmp_path / "second", *still, f"--model.init_args.init_from={tmp_path / 'first' / 'bundle'}")
    weights = [load_bundle(tmp_path / name / "bundle").tokenizer.state_dict() for name in ("first", "second")]
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, atol=1e-6, rtol=0)


def test_a_run_cannot_start_from_another_tokenizer(tmp_path):
    bundle = save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})
    start = load_bundle(bundle)
    with pytest.raises(ValueError, match=r"its tokenizer has levels \(5, 5, 5\), and \(8, 5\) is wanted; make them equal"):
        start_from(tiny.tokenizer(FSQ((8, 5))), start)
    with pytest.raises(ValueError, match="its tokenizer has quantizer FSQ, and LFQ is wanted"):
        start_from(tiny.tokenizer(LFQ(6)), start)
