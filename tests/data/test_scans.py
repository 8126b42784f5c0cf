"""Each file is read through once."""

import json
from pathlib import Path

import pytest
import torch
from video_folders import SMALL, write_clip

from framecast.data import VideoFolder, scans
from framecast.data.scans import ScanIndex

pytestmark = pytest.mark.usefixtures("own_caches")


def count_reading(monkeypatch) -> list[str]:
    """The files that are read through from here on."""
    read: list[str] = []
    scan = VideoFolder._scan_file
    monkeypatch.setattr(VideoFolder, "_scan_file", lambda self, file: read.append(file) or scan(self, file))
    return read


def test_each_file_is_read_through_once(tmp_path, monkeypatch):
    write_clip(tmp_path / "a.mkv", 12)
    write_clip(tmp_path / "b.mkv", 3)
    read = count_reading(monkeypatch)
    first, other = VideoFolder(tmp_path, **SMALL), VideoFolder(tmp_path, **{**SMALL, "num_frames": 3})
    assert read == ["a.mkv", "b.mkv"] * 2  # once for each setting
    read.clear()
    for known, options in ((first, SMALL), (other, {**SMALL, "num_frames": 3})):
        again = VideoFolder(tmp_path, **options)
        assert (again._windows, again.skipped, again.damaged) == (known._windows, known.skipped, known.damaged)
        assert all(torch.equal(clip.frames, before.frames) for clip, before in zip(again, known, strict=True))
    assert read == []
    write_clip(tmp_path / "b.mkv", 6)
    assert len(VideoFolder(tmp_path, **SMALL)) == 3 and read == ["b.mkv"]


def break_index(path: Path, how: str) -> None:
    content = json.loads(path.read_text())
    if how == "version":
        content["reader"] = "1"
    elif how == "types":
        content["files"]["a.mkv"]["scans"] = 3
    path.write_text(json.dumps(content) if how != "cut" else json.dumps(content)[:100])


@pytest.mark.parametrize("how", ["version", "types", "cut"])
def test_an_index_that_does_not_fit_is_made_anew(tmp_path, monkeypatch, how):
    write_clip(tmp_path / "a.mkv", 12)
    VideoFolder(tmp_path, **SMALL)
    break_index(tmp_path / ".framecast-index.json", how)
    read = count_reading(monkeypatch)
    assert len(VideoFolder(tmp_path, **SMALL)) == 2 and read == ["a.mkv"]
    assert len(VideoFolder(tmp_path, **SMALL)) == 2 and read == ["a.mkv"]


def test_a_folder_that_is_not_to_be_written_has_its_index_elsewhere(tmp_path, monkeypatch):
    root = tmp_path / "root"
    write_clip(root / "a.mkv", 12)
    root.chmod(0o555)
    read = count_reading(monkeypatch)
    for _ in range(2):
        assert len(VideoFolder(root, **SMALL)) == 2
    assert read == ["a.mkv"] and [path.name for path in root.iterdir()] == ["a.mkv"]


def test_a_reading_that_is_killed_keeps_what_was_read(tmp_path, monkeypatch):
    for name in "abc":
        write_clip(tmp_path / f"{name}.mkv", 12)
    monkeypatch.setattr(scans, "_LEAST_PAUSE", 0.0)
    monkeypatch.setattr(scans, "_PAUSE_SHARE", 0.0)
    read = count_reading(monkeypatch)
    with monkeypatch.context() as killed:
        scan, save = VideoFolder._scan_file, ScanIndex.save

        def scan_or_die(self, file):
            if file == "c.mkv":
                killed.setattr(ScanIndex, "save", lambda _: None)  # a process that is killed saves no more
                raise KeyboardInterrupt
            return scan(self, file)

        killed.setattr(VideoFolder, "_scan_file", scan_or_die)
        with pytest.raises(KeyboardInterrupt):
            VideoFolder(tmp_path, **SMALL)
        killed.setattr(ScanIndex, "save", save)
    read.clear()
    VideoFolder(tmp_path, **SMALL)
    assert read == ["c.mkv"]
