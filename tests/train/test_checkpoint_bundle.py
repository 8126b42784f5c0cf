"""A bundle out of a checkpoint is the one that its training exports."""

import json
from pathlib import Path

import pytest
import torch

from framecast.cli import main as framecast
from framecast.data import SpriteWorld, write_video
from framecast.sample import load_bundle
from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoint_bundle import BUNDLE_KEY, export_checkpoint
from framecast.train.cli import main

QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.max_steps=2")
QUICK = ("--trainer.val_check_interval=2", "--samples.num_continuations=2")

VIDEOS = """
data:
  init_args:
    source:
      class_path: framecast.data.VideoFolder
      init_args: {{root: {root}, num_frames: 5, size: 32}}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A tokenizer's training on a folder of videos, and one of a video LM on top of it."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "my_videos").mkdir()
    for name in ("a", "b"):
        write_video(folder / "my_videos" / f"{name}.mkv", SpriteWorld(num_frames=60, size=32)[3].frames, 12.0)
    (folder / "videos.yaml").write_text(VIDEOS.format(root=folder / "my_videos"))
    videos = ["--config", str(folder / "videos.yaml")]
    main(["fit", "--config", "tiny_tokenizer", *videos, *QUIET, *QUICK, f"--trainer.default_root_dir={folder / 'tokenizer'}"])
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


@pytest.mark.parametrize("kind", ["tokenizer", "lm"])
def test_a_bundle_names_no_folder_of_anybody(runs, kind):
    said = {name: (runs / kind / "bundle" / name).read_text() for name in ("config.json", "manifest.json", "README.md")}
    for name, text in said.items():
        assert str(runs) not in text, name
    assert not [value for name in ("config.json", "manifest.json") for value in texts(json.loads(said[name])) if value[:1] == "/"]
    assert ("my_videos" in said["README.md"]) == (kind == "tokenizer")
    saved = AtomicCheckpointIO().load_checkpoint(checkpoint(runs / kind))
    assert said["README.md"].count("picture.jpg") == 1 and (runs / kind / "bundle" / "picture.jpg").is_file()
    assert saved[BUNDLE_KEY]["training"]["data"]["clips"] > 0


def texts(value: object) -> list[str]:
    """All texts in plain values."""
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_the_checkpoint_of_an_earlier_version_names_no_folder_either(runs, tmp_path):
    saved = AtomicCheckpointIO().load_checkpoint(checkpoint(runs / "tokenizer"))
    about = saved[BUNDLE_KEY]
    about["training"]["settings"]["root"] = "/home/somebody/videos"
    del about["picture"], about["training"]["data"], about["training"]["seconds"], about["training"]["machine"]
    torch.save(saved, tmp_path / "old.ckpt")
    bundle = export_checkpoint(tmp_path / "old.ckpt", tmp_path / "bundle")
    assert load_bundle(bundle).training["settings"]["root"] == "videos"
    assert "somebody" not in "".join((bundle / name).read_text() for name in ("config.json", "README.md"))


def test_terms_are_given_by_the_command(runs, tmp_path, capsys):
    words = ["export", str(checkpoint(runs / "tokenizer")), "--out", str(tmp_path / "bundle")]
    assert framecast([*words, "--licence", "CC-BY-4.0", "--title", "My kitchen", "--card", "Of *pans*."]) == 0
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert "license: cc-by-4.0\n" in card and "# My kitchen\n" in card and "No licence was given" not in card
    assert "Of *pans*." in card
    assert framecast([*words, "--licence", " "]) == 2
    assert "got a licence of 1 characters; wanted 1 to 20000" in capsys.readouterr().err


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
