"""Files that make room for folders, and folders for files."""

import pytest

from framecast.train.entries import set_aside


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_there_is_gone_at_the_end(tmp_path, folder):
    path = tmp_path / "last.ckpt"
    path.write_text("old") if folder else path.mkdir()
    with set_aside(path, folder=folder):
        path.mkdir() if folder else path.write_text("new")
    assert path.is_dir() == folder and [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_what_was_there_comes_back_if_it_fails(tmp_path):
    path = tmp_path / "last.ckpt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), set_aside(path, folder=True):
        path.mkdir()
        raise OSError("full")
    assert path.read_text() == "old"


def test_what_may_stay_stays(tmp_path):
    path = tmp_path / "last.ckpt"
    path.mkdir()
    (path / "manifest.json").touch()
    with set_aside(path, folder=True):
        assert (path / "manifest.json").is_file()
    assert (path / "manifest.json").is_file()
