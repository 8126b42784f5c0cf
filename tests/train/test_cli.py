"""`framecast train`: what a configuration may say, and what a run goes on with."""

import pytest
from trainings import CONFIGS, fit

from benchmarks.reliability.hostile_settings import CONFIG
from framecast.cli import main as framecast
from framecast.machine import ProductRates
from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoints import precision_of
from framecast.train.cli import TrainCLI, main


def test_a_second_config_cannot_drop_our_callbacks(tmp_path, monkeypatch):
    other = tmp_path / "other.yaml"
    other.write_text("trainer:\n  callbacks:\n    - class_path: lightning.pytorch.callbacks.DeviceStatsMonitor\n")
    monkeypatch.setattr(TrainCLI, "_run_subcommand", lambda *_: None)
    cli = TrainCLI(["fit", "--config", str(CONFIGS / "tiny_tokenizer.yaml"), "--config", str(other)])
    names = {type(callback).__name__ for callback in cli.trainer.callbacks}
    ours = {
        "ProgressBar",
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


def test_last_means_a_checkpoint_that_is_there(tmp_path):
    with pytest.raises(ValueError, match=r"got `--ckpt_path last`, and no checkpoint in .*checkpoints; .*start anew without"):
        fit(tmp_path, "--ckpt_path=last")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("precision", ["32-true", pytest.param("bf16-mixed", marks=pytest.mark.slow)])
def test_a_resumed_run_keeps_its_precision_whatever_is_measured_then(tmp_path, monkeypatch, no_export, precision):
    def rates_for(best: str) -> None:
        rates = ProductRates(float32=1e11, bfloat16=1e12 if best == "bf16-mixed" else 1e9)
        monkeypatch.setattr("framecast.machine.product_rates", lambda: rates)

    rates_for(precision)
    fit(tmp_path, "--trainer.max_steps=1")
    path = tmp_path / "checkpoints" / "last.ckpt"
    assert precision_of(path) == precision
    rates_for("32-true" if precision == "bf16-mixed" else "bf16-mixed")
    fit(tmp_path, "--ckpt_path=last")
    assert AtomicCheckpointIO().load_checkpoint(path)["precision"] == precision == precision_of(path)
    assert precision_of(tmp_path / "none.ckpt") is None


def test_checkpoints_cannot_be_read_in_another_way(trial):
    with pytest.raises(ValueError, match=r"weights_only.*see `framecast train .*--help`"):
        trial.parse(["--weights_only=false"])


def test_what_lightning_refuses_is_one_line(capsys):
    assert framecast(["train", "fit", "--config", str(CONFIG), "--trainer.profiler=os.system", "--trainer.logger=false"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("framecast: When passing string value for the `profiler`")
