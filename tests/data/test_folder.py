"""VideoFolder: windows, memory, and files that cannot be used."""

import json
import os
import pickle
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from video_folders import SMALL, write_captions, write_clip

from framecast.data import Caption, VideoFolder

pytestmark = pytest.mark.usefixtures("own_caches")


REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[2] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")


def test_windows_follow_one_another_without_overlap(tmp_path):
    long, short = write_clip(tmp_path / "a/long.mkv", 17), write_clip(tmp_path / "b.MKV", 5)
    (tmp_path / "notes.txt").write_text("not a video, and not asked for")
    folder = VideoFolder(tmp_path, **SMALL)
    assert [clip.name for clip in folder] == [
        "a/long.mkv@0.00s", "a/long.mkv@0.50s", "a/long.mkv@1.00s", "b.MKV@0.00s"
    ]  # fmt: skip
    wanted = [long[:5], long[5:10], long[10:15], short]
    for clip, frames in zip(folder, wanted, strict=True):
        np.testing.assert_array_equal(clip.frames.numpy(), frames)
        assert (clip.captions, clip.fps) == ((Caption(0, ""),), 10.0)
    assert (folder.num_frames, folder.height, folder.width, folder.fps) == (5, 16, 16, 10.0)
    assert folder.skipped == {} and "4 clips of 5 frames at 10 fps from 2 files" in folder.summary()
    assert folder[-1].name == "b.MKV@0.00s"
    with pytest.raises(IndexError, match="clip 4 of a folder with 4 clips"):
        folder[4]


def test_windows_may_overlap(tmp_path):
    long = write_clip(tmp_path / "long.mkv", 12)
    folder = VideoFolder(tmp_path, **SMALL, step=3, cache_bytes=0)
    assert [clip.name for clip in folder] == ["long.mkv@0.00s", "long.mkv@0.30s", "long.mkv@0.60s"]
    for clip, kept, start in zip(folder, VideoFolder(tmp_path, **SMALL, step=3), (0, 3, 6), strict=True):
        np.testing.assert_array_equal(clip.frames.numpy(), long[start : start + 5])
        np.testing.assert_array_equal(kept.frames.numpy(), long[start : start + 5])


@pytest.mark.parametrize("clips_in_memory", [0, 1, 2, 9])
def test_memory_changes_nothing(tmp_path, clips_in_memory):
    write_clip(tmp_path / "a.mkv", 23)
    write_clip(tmp_path / "b.mp4", 31, fps=24.0)
    bytes_each = 5 * 16 * 16 * 3
    limited = VideoFolder(tmp_path, **SMALL, cache_bytes=clips_in_memory * bytes_each)
    assert len(limited._cached) == min(clips_in_memory, len(limited))
    again = VideoFolder(tmp_path, **SMALL, cache_bytes=clips_in_memory * bytes_each)
    assert len(again._cached) == 0  # nothing was decoded, and memory fills when clips are asked for
    assert all(torch.equal(clip.frames, other.frames) for clip, other in zip(again, limited, strict=True))
    assert len(again._cached) == min(clips_in_memory, len(limited))
    for clip, other in zip(limited, VideoFolder(tmp_path, **SMALL), strict=True):
        assert torch.equal(clip.frames, other.frames), clip.name


def test_a_folder_travels_to_worker_processes(tmp_path):
    write_clip(tmp_path / "a.mkv", 10)
    folder = VideoFolder(tmp_path, **SMALL, cache_bytes=0)
    assert torch.equal(pickle.loads(pickle.dumps(folder))[1].frames, folder[1].frames)


def test_bad_files_are_skipped_counted_and_named(tmp_path):
    write_clip(tmp_path / "good.mkv", 5)
    write_clip(tmp_path / "short.mkv", 3)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("text\n" * 100)
    write_captions(tmp_path, *({"file": f} for f in ("good.mkv", "short.mkv", "empty.mp4", "text.mp4", "gone.mp4")))
    folder = VideoFolder(tmp_path, **SMALL)
    assert len(folder) == 1
    assert folder.skipped["short.mkv"] == (
        "has 3 frames at 10 fps; wanted 5; lower the `num_frames` of the VideoFolder to 3, or raise its `fps`"
    )
    assert "is empty (0 bytes)" in folder.skipped["empty.mp4"]
    assert "cannot be opened as a video" in folder.skipped["text.mp4"]
    assert "does not exist" in folder.skipped["gone.mp4"]
    assert folder.summary().endswith("4 skipped: short.mkv, empty.mp4, text.mp4 and 1 more (see .skipped and .damaged)")


def test_a_file_that_is_cut_off_gives_the_clips_before_the_cut(tmp_path):
    frames = write_clip(tmp_path / "cut.mkv", 40)
    whole = (tmp_path / "cut.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    folder = VideoFolder(tmp_path, **SMALL)
    assert 1 <= len(folder) < 8
    for index, clip in enumerate(folder):
        np.testing.assert_array_equal(clip.frames.numpy(), frames[5 * index : 5 * index + 5])


def test_all_bad_is_an_error_with_the_reasons(tmp_path):
    write_clip(tmp_path / "short.mkv", 3)
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(ValueError, match=r"no clip can be made .*empty.mp4: .*0 bytes.*short.mkv: has 3 frames"):
        VideoFolder(tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "gone"}, "gone is not a folder; give the folder"),
        ({"num_frames": 0}, "got num_frames 0; wanted"),
        ({"size": 0}, "got size 0; wanted"),
        ({"fps": 0.0}, "got fps 0.0; wanted"),
        ({"step": 6}, "got a step of 6 frames; wanted 1 to 5"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, options, message):
    write_clip(tmp_path / "a.mkv", 5)
    options = {**SMALL, **options}
    with pytest.raises(ValueError, match=message):
        VideoFolder(tmp_path / options.pop("root", "."), **options)


@needs_real
def test_real_videos_become_captioned_clips():
    folder = VideoFolder(REAL, include=["bridge/*", "clips/asl_[a-m]*"], size=32)
    assert folder.skipped == {} and len({clip.name for clip in folder}) == len(folder)
    rows = [json.loads(line) for line in (REAL / "captions.jsonl").read_text().splitlines()]
    texts = {row["file"]: row["caption"] for row in rows}
    for clip in folder:
        assert tuple(clip.frames.shape) == (17, 32, 32, 3)
        assert [caption.text for caption in clip.captions] == [texts[clip.name.split("@")[0]]]


@needs_real
def test_odd_real_files_are_used_or_named():
    folder = VideoFolder(REAL / "originals", num_frames=2, size=16, exclude=["chaplin*", "[afmn]*"])
    assert sorted(folder.skipped) == [
        "odd_bitflips.mp4", "odd_empty.mp4", "odd_not_a_video.mp4", "odd_single_frame.mp4", "odd_truncated_nomoov.mp4",
        "raw_i420_320x192_12fps.yuv"
    ]  # fmt: skip
    assert sorted(folder.damaged) == ["corrupted_h264.mp4", "odd_truncated_faststart.mp4"]
    assert "rot90_phone.mov@0.00s" in {clip.name for clip in folder}


def test_the_container_is_asked_and_not_the_suffix(tmp_path):
    write_clip(tmp_path / "a.mkv", 5)
    for name in ("b.divx", "c.f4v", "d", "e.weird", "f.MXF"):
        (tmp_path / name).write_bytes((tmp_path / "a.mkv").read_bytes())
    write_clip(tmp_path / "g.png", 5)
    (tmp_path / "h.jpg").write_bytes((tmp_path / "a.mkv").read_bytes())  # plainly no video
    (tmp_path / "i.bin").write_bytes(os.urandom(500))
    folder = VideoFolder(tmp_path, **SMALL)
    assert [clip.name.split("@")[0] for clip in folder] == ["a.mkv", "b.divx", "c.f4v", "d", "e.weird", "f.MXF", "g.png"]
    assert list(folder.skipped) == ["i.bin"] and "cannot be opened as a video" in folder.skipped["i.bin"]


def test_a_key_frame_that_leads_elsewhere_is_noticed(tmp_path, monkeypatch):
    """Item i is a function of i: what is read again is compared with what was read through."""
    write_clip(tmp_path / "a.mkv", 40)
    folder = VideoFolder(tmp_path, **SMALL, cache_bytes=0)
    right = folder[6].frames
    read_from = VideoFolder._read_from
    elsewhere = replace(folder._windows[6], start=1.0)
    monkeypatch.setattr(
        VideoFolder, "_read_from", lambda self, window, seeks: read_from(self, elsewhere if seeks else window, seeks)
    )
    assert torch.equal(folder[6].frames, right)


def test_a_fingerprint_changes_with_the_contents_and_not_with_the_place(tmp_path):
    root = tmp_path / "one"
    write_clip(root / "a.mkv", 12)
    write_clip(root / "b.mkv", 6)
    write_captions(root, {"file": "a.mkv", "caption": "a dog"}, {"file": "b.mkv"})
    first = VideoFolder(root, **SMALL).fingerprint()
    assert json.loads(json.dumps(first)) == first and first == VideoFolder(root, **SMALL).fingerprint()
    shutil.copytree(root, tmp_path / "two")
    assert VideoFolder(tmp_path / "two", **SMALL).fingerprint() == first
    (tmp_path / "two").rename(tmp_path / "three")
    assert VideoFolder(tmp_path / "three", **SMALL).fingerprint() == first
    others = [
        VideoFolder(root, **SMALL, exclude="b*"),
        VideoFolder(root, **{**SMALL, "num_frames": 3}),
        VideoFolder(root, **SMALL, step=3),
    ]
    write_captions(root, {"file": "a.mkv", "caption": "a cat"}, {"file": "b.mkv"})
    others.append(VideoFolder(root, **SMALL))
    write_captions(root, {"file": "a.mkv", "captions": [{"start": 0, "text": "a dog"}]}, {"file": "b.mkv"})
    assert VideoFolder(root, **SMALL).fingerprint() == first  # the same timeline
    times = (root / "b.mkv").stat()
    content = bytearray((root / "b.mkv").read_bytes())
    content[-40] ^= 1
    (root / "b.mkv").write_bytes(content)
    others.append(VideoFolder(root, **SMALL))
    os.utime(root / "b.mkv", ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    prints = [other.fingerprint() for other in others]
    assert all(one != other for one, other in combinations([first, *prints], 2))


def test_an_empty_folder_says_that_it_has_no_video(tmp_path):
    with pytest.raises(ValueError, match=r"no clip can be made from .*: there is no video below it, and none in captions.jsonl"):
        VideoFolder(tmp_path)
