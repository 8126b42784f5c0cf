"""Which files of a folder are its videos."""

import os

import pytest
from video_folders import SMALL, write_clip

from framecast.data import VideoFolder

pytestmark = pytest.mark.usefixtures("own_caches")


def test_include_and_exclude_choose_by_path(tmp_path):
    for name in ("a/1.mkv", "a/2.mkv", "b/1.mkv"):
        write_clip(tmp_path / name, 5)

    def names(**choice):
        return [clip.name.split("@")[0] for clip in VideoFolder(tmp_path, **SMALL, **choice)]

    assert names(include=["a/*"]) == ["a/1.mkv", "a/2.mkv"]
    assert names(exclude=["*/1.mkv"]) == ["a/2.mkv"]
    assert names(include=["a/*", "b/*"], exclude=["a/2*"]) == ["a/1.mkv", "b/1.mkv"]
    with pytest.raises(ValueError, match="include and exclude let no video through"):
        names(include=["c/*"])


def test_a_pattern_may_be_a_text(tmp_path):
    for name in ("a/1.mkv", "b/1.mkv"):
        write_clip(tmp_path / name, 5)
    assert [clip.name for clip in VideoFolder(tmp_path, **SMALL, include="a/*")] == ["a/1.mkv@0.00s"]
    assert [clip.name for clip in VideoFolder(tmp_path, **SMALL, exclude="a/*")] == ["b/1.mkv@0.00s"]
    with pytest.raises(ValueError, match=r'got \[3\] as `include`; wanted patterns of paths; e.g. \["a/\*"\]'):
        VideoFolder(tmp_path, **SMALL, include=[3])


def test_linked_folders_are_read_and_oddities_are_named(tmp_path):
    write_clip(tmp_path / "elsewhere/a.mkv", 5)
    root = tmp_path / "root"
    write_clip(root / "b.mkv", 5)
    write_clip(root / "trip.mp4/c.mkv", 5)
    (root / "empty.mov").mkdir()
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    (root / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(root / "pipe.mp4")
    folder = VideoFolder(root, **SMALL)
    assert [clip.name.split("@")[0] for clip in folder] == ["b.mkv", "linked/a.mkv", "trip.mp4/c.mkv"]
    assert {file: why.split(";")[0] for file, why in folder.skipped.items()} == {
        "empty.mov": "is a folder and not a video",
        "gone.mp4": "is a link that leads nowhere (No such file or directory)",
        "loop": "is a link back to a folder that it lies in",
        "pipe.mp4": "is a pipe, a socket or a device, and not a file",
    }


def test_names_that_are_no_text_are_read_and_said(tmp_path):
    write_clip(tmp_path / "a.mkv", 5)
    odd = os.fsdecode(b"caf\xe9: %d #1?.mkv")
    (tmp_path / odd).write_bytes((tmp_path / "a.mkv").read_bytes())
    (tmp_path / os.fsdecode(b"\xff.mkv")).write_bytes(b"")
    folder = VideoFolder(tmp_path, **SMALL)
    assert [clip.name for clip in folder] == ["a.mkv@0.00s", f"{odd}@0.00s"]
    assert folder.summary().endswith(r"1 skipped: \udcff.mkv")
    assert len(VideoFolder(tmp_path, **SMALL)) == 2
