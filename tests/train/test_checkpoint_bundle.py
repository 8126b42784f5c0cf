"""A bundle out of a checkpoint is the one that its training exports."""

from pathlib import Path

import pytest
import torch

from framecast.cli import main as framecast
from framecast.sample import load_bundle
from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoint_bundle import BUNDLE_KEY, export_checkpoint
from framecast.train.cli import main

QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.max_steps=2")
QUICK = ("--trainer.val_check_interval=2", "--samples.every_n_steps=0")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A tokenizer's training and one of a video LM on top of it."""
    folder = tmp_path_factory.mktemp("runs")
    main(["fit", "--config", "tiny_tokenizer", *QUIET, *QUICK, f"--trainer.default_root_dir={folder / 'tokenizer'}"])
    data = [f"--data.init_args.tokenizer={folder / 'tokenizer' / 'bundle'}", f"--data.init_args.shards={folder / 'shards'}"]
    half = ["--export.dtype=bfloat16", "--data.init_args.num_clips=8"]
    main(["fit", "--config", "tiny_lm", *QUIET, *QUICK, *data, *half, f"--trainer.default_root_dir={folder / 'lm'}"])
    return folder


def checkpoint(folder: Path) -> Path:
    return folder / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize("kind", ["tokenizer", "lm"])
def test_a_checkpoint_gives_the_bundle_of_its_training(runs, tmp_path, capsys, kind):
    assert framecast(["export", str(checkpoint(runs / kind)), "--out", str(tmp_path / "bundle")]) == 0
    assert f"saved the bundle {tmp_path / 'bundle'}" in capsys.readouterr().err
    ours, theirs = load_bundle(tmp_path / "bundle"), load_bundle(runs / kind / "bundle")
    weights = {name: value for name, value in ours.hashes.items() if name != "config.json"}
    assert weights == {name: value for name, value in theirs.hashes.items() if name != "config.json"}
    assert ours.training["precision"] == theirs.training["precision"] in ("32-true", "bf16-mixed")
    assert ours.training["steps"] == theirs.training["steps"] == 2
    if kind == "lm":
        assert ours.text_tokenizer.words == theirs.text_tokenizer.words


def test_what_cannot_be_exported_says_why(runs, tmp_path):
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist; make it first"):
        export_checkpoint(checkpoint(runs / "lm"), tmp_path / "nowhere" / "bundle")
    with pytest.raises(ValueError, match="is no file"):
        export_checkpoint(tmp_path / "none.ckpt", tmp_path / "bundle")
    saved = AtomicCheckpointIO().load_checkpoint(checkpoint(runs / "lm"))
    old, other = tmp_path / "old.ckpt", tmp_path / "other.ckpt"
    torch.save({name: value for name, value in saved.items() if name != BUNDLE_KEY}, old)
    with pytest.raises(ValueError, match=r"does not say what its bundle is to be; .*go on with its training by one step"):
        export_checkpoint(old, tmp_path / "bundle")
    saved[BUNDLE_KEY]["tokenizer"]["sha256"] = "0" * 64
    torch.save(saved, other)
    with pytest.raises(ValueError, match="where there is another one now; put the old one back"):
        export_checkpoint(other, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
