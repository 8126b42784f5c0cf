"""Checkpoints are whole or not there, and never fail in silence."""

import errno
import os
from pathlib import Path

import pytest
import torch

from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoints import CheckpointError

OLD, NEW = {"step": 1, "weight": torch.zeros(3)}, {"step": 2, "weight": torch.ones(3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(OLD, path)
    return path


def test_a_checkpoint_comes_back_as_it_was(path: Path):
    AtomicCheckpointIO().save_checkpoint(NEW, path)
    loaded = AtomicCheckpointIO().load_checkpoint(path)
    assert loaded["step"] == 2
    assert torch.equal(loaded["weight"], NEW["weight"])
    assert sorted(file.name for file in path.parent.iterdir()) == ["last.ckpt", "last.ckpt.manifest.json"]


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(*_):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("function", ["os.fsync", "os.replace", "torch.save"])
@pytest.mark.parametrize("failure", [full, read_only])
def test_a_failed_save_raises_and_leaves_the_old_one(path: Path, monkeypatch, function, failure):
    with monkeypatch.context() as patch:
        patch.setattr(function, failure)
        with pytest.raises(CheckpointError, match=r"last\.ckpt.*(No space left|Read-only).*untouched.*default_root_dir"):
            AtomicCheckpointIO().save_checkpoint(NEW, path)
    assert AtomicCheckpointIO().load_checkpoint(path)["step"] == 1
    assert not list(path.parent.glob(".*.tmp"))


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"the folder .*nowhere does not exist; make it first.*default_root_dir"):
        AtomicCheckpointIO().save_checkpoint(NEW, tmp_path / "nowhere" / "last.ckpt")


class Killed(BaseException):
    """Stands for the process ending here."""


@pytest.mark.parametrize("writes_before", [0, 1, 2, 3])
def test_killed_in_the_middle_the_old_or_the_new_one_is_whole(path: Path, monkeypatch, writes_before):
    """Also twice in a row: the manifest must name what is there, not what would have been there."""
    calls = 0

    def replace(source, target, replace=os.replace):
        nonlocal calls
        calls += 1
        if calls > writes_before:
            raise Killed
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace)
    for attempt in (NEW, {**NEW, "step": 3}):
        try:
            AtomicCheckpointIO().save_checkpoint(attempt, path)
        except Killed:
            pass
        assert AtomicCheckpointIO().load_checkpoint(path)["step"] in (1, 2, 3)


@pytest.mark.parametrize("position", [10, 400, -30])
def test_a_damaged_checkpoint_is_refused(path: Path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged.*--ckpt_path"):
        AtomicCheckpointIO().load_checkpoint(path)


def test_a_cut_off_checkpoint_without_manifest_is_refused(path: Path):
    (path.parent / "last.ckpt.manifest.json").unlink()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="cannot be read"):
        AtomicCheckpointIO().load_checkpoint(path)


class Harmful:
    def __reduce__(self):
        return print, ("this ran",)


def test_loading_cannot_run_code(tmp_path: Path, capsys):
    torch.save({"step": Harmful()}, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="cannot be read"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "bad.ckpt")
    assert "this ran" not in capsys.readouterr().out


def test_a_missing_checkpoint_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"none\.ckpt is no file"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "none.ckpt")


def test_removing_leaves_nothing(path: Path):
    AtomicCheckpointIO().remove_checkpoint(path)
    assert not list(path.parent.iterdir())
