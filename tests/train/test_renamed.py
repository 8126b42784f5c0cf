"""Configurations of earlier versions name classes where they were then."""

from pathlib import Path

import pytest

from framecast.train import ClipDataModule
from framecast.train.cli import TrainCLI, main
from framecast.train.renamed import RENAMED, with_new_arguments, with_new_names

OLD = "framecast.data.module.ClipDataModule"
TINY = (Path(__file__).parents[2] / "train" / "configs" / "tiny_tokenizer.yaml").read_text(encoding="utf-8")


def test_an_old_name_becomes_the_new_one_and_nothing_else_changes():
    values = {"data": {"class_path": OLD, "init_args": {"names": [OLD, "other", 3]}}, "seed": None}
    new = RENAMED[OLD]
    assert with_new_names(values) == {"data": {"class_path": new, "init_args": {"names": [new, "other", 3]}}, "seed": None}
    assert with_new_arguments(["--data", OLD, f"--data={OLD}", f"--note=about {OLD}", "fit"]) == [
        *("--data", new, f"--data={new}", f"--note=about {OLD}", "fit")
    ]


@pytest.mark.parametrize("where", ["file", "file of the data", "option", "words"])
def test_a_configuration_of_an_earlier_version_is_read(tmp_path, monkeypatch, where):
    seen = []
    monkeypatch.setattr(TrainCLI, "_run_subcommand", lambda self, _: seen.append(self.datamodule))
    old = TINY.replace("class_path: framecast.train.ClipDataModule", f"class_path: {OLD}")
    assert old != TINY
    (tmp_path / "old.yaml").write_text(old if where == "file" else TINY, encoding="utf-8")
    (tmp_path / "data.yaml").write_text(f"class_path: {OLD}\ninit_args:\n  batch_size: 2\n", encoding="utf-8")
    options = {
        "file": (),
        "file of the data": (f"--data={tmp_path / 'data.yaml'}", "--data.source=framecast.data.SpriteWorld"),
        "option": (f"--data.class_path={OLD}",),
        "words": ("--data", OLD, "--data.source=framecast.data.SpriteWorld"),
    }[where]
    main(["fit", "--config", str(tmp_path / "old.yaml"), f"--trainer.default_root_dir={tmp_path}", *options])
    (data,) = seen
    assert type(data) is ClipDataModule
