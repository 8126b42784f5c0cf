"""VideoFolder: windows, captions on a timeline, memory, and files that cannot be used."""

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

from framecast.data import Caption, VideoFolder, write_video

REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[2] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")
SMALL = {"num_frames": 5, "size": 16, "fps": 10.0}


@pytest.fixture(autouse=True)
def _caches_of_the_test(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def write_clip(path: Path, num_frames: int, fps: float = 10.0) -> np.ndarray:
    """A lossless clip of noise; the noise follows from the length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(num_frames).integers(0, 256, (num_frames, 16, 16, 3), dtype=np.uint8)
    write_video(path, frames, fps)
    return frames


def write_captions(folder: Path, *rows: dict | str) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


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


# --- captions


def test_one_caption_holds_for_all_windows(tmp_path):
    write_clip(tmp_path / "a.mkv", 10)
    write_clip(tmp_path / "unlisted.mkv", 10)
    write_clip(tmp_path / "none.mkv", 5)
    write_captions(tmp_path, {"file": "a.mkv", "caption": " a dog runs ", "source": "ignored"}, "", {"file": "none.mkv"})
    folder = VideoFolder(tmp_path, **SMALL)
    assert [(clip.name, clip.captions) for clip in folder] == [
        ("a.mkv@0.00s", (Caption(0, "a dog runs"),)),
        ("a.mkv@0.50s", (Caption(0, "a dog runs"),)),
        ("none.mkv@0.00s", (Caption(0, ""),)),
    ]


@pytest.mark.parametrize(
    ("timeline", "first", "second"),
    [
        ([(0, 1.0, "sits")], [(0, "sits")], [(0, "sits")]),
        ([(0, 0.5, "sits"), (0.5, 1.0, "runs")], [(0, "sits")], [(0, "runs")]),
        ([(0, 0.3, "sits"), (0.3, 1.0, "runs")], [(0, "sits"), (3, "runs")], [(0, "runs")]),
        ([(0, 0.31, "sits"), (0.31, 1.0, "runs")], [(0, "sits"), (4, "runs")], [(0, "runs")]),
        ([(0, None, "sits"), (0.8, None, "runs")], [(0, "sits")], [(0, "sits"), (3, "runs")]),
        ([(0.2, 0.4, "sits")], [(0, ""), (2, "sits"), (4, "")], [(0, "")]),
        ([(0, 1.0, "sits"), (0.6, 0.8, "barks")], [(0, "sits")], [(0, "sits"), (1, "barks"), (3, "sits")]),
        ([(0.5, 1.0, "runs"), (0, 0.5, "sits")], [(0, "sits")], [(0, "runs")]),
        ([(0, 0.2, "sits"), (0.2, 1.0, "sits")], [(0, "sits")], [(0, "sits")]),
        ([], [(0, "")], [(0, "")]),
    ],
)
def test_timelines_become_frames_of_the_window(tmp_path, timeline, first, second):
    write_clip(tmp_path / "a.mkv", 10)
    captions = [{"start": start, "end": end, "text": text} for start, end, text in timeline]
    write_captions(tmp_path, {"file": "a.mkv", "captions": captions})
    folder = VideoFolder(tmp_path, **SMALL)
    assert [[(caption.start, caption.text) for caption in clip.captions] for clip in folder] == [first, second]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{oops", "Expecting property name"),
        ("[]", 'got no "file"; wanted {"file"'),
        ("3", 'got no "file"; wanted {"file"'),
        ('{"caption": "x"}', 'got no "file"'),
        ('{"file": ""}', 'got no "file"'),
        ('{"file": "a.mkv"}', "a.mkv is listed twice; keep one line per file"),
        ('{"file": "./a.mkv"}', "a.mkv is listed twice"),
        ('{"file": "../../x.mp4"}', "'../../x.mp4' leads out of the folder; move the video into it"),
        ('{"file": "a/../../x.mp4"}', "leads out of the folder"),
        ('{"file": "/etc/x.mp4"}', "leads out of the folder"),
        ('{"file": "b.mkv", "caption": 3}', "got a caption 3 that is no text"),
        ('{"file": "b.mkv", "caption": "\\ud800"}', "with half a character"),
        ('{"file": "b.mkv", "captions": [{"start": NaN, "text": "x"}]}', "got NaN, which is no JSON"),
        ('{"file": "b.mkv", "captions": [{"start": 0, "end": Infinity, "text": "x"}]}', "got Infinity, which is no JSON"),
        ('{"file": "b.mkv", "captions": [{"start": "0", "text": "x"}]}', "got a time '0' that is no number of seconds"),
        ('{"file": "b.mkv", "captions": [{"start": true, "text": "x"}]}', "got a time True"),
        ('{"file": "b.mkv", "captions": [{"start": 1e999, "text": "x"}]}', "got a time inf"),
        ('{"file": "b.mkv", "captions": [{"start": 0}]}', "got no 'text' in a caption; wanted"),
        ('{"file": "b.mkv", "captions": [3]}', "wanted {"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"file": "b.mkv", "caption": "x", "captions": []}', 'got both "caption" and "captions"'),
        ('{"file": "b.mkv", "captions": [{"start": 2, "end": 1, "text": "x"}]}', "got a caption from 2.0 s to 1.0 s"),
        ('{"file": "b.mkv", "captions": [{"end": 1, "text": "x"}]}', "got no 'start' in a caption"),
        ('{"file": "b.mkv", "captions": "x"}', "got 'x' as"),
    ],
)
def test_a_bad_line_of_captions_is_named(tmp_path, row, message):
    write_clip(tmp_path / "a.mkv", 5)
    write_captions(tmp_path, {"file": "a.mkv"}, row)
    folder = VideoFolder(tmp_path, **SMALL)
    assert [clip.name for clip in folder] == ["a.mkv@0.00s"] and list(folder.skipped) == ["captions.jsonl line 2"]
    assert message in folder.skipped["captions.jsonl line 2"] and "captions.jsonl line 2" in folder.summary()
    write_captions(tmp_path, row if "a.mkv" not in row else "{}")
    with pytest.raises(ValueError, match=r"no clip can be made from .*: captions\.jsonl line 1: "):
        VideoFolder(tmp_path, **SMALL)


# --- files that are left out


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
        ({"num_frames": 0}, "clips of 0 frames"),
        ({"size": 0}, "0 x 0 are empty"),
        ({"fps": 0.0}, "fps is 0.0; wanted"),
        ({"step": 6}, "got a step of 6 frames; wanted 1 to 5"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, options, message):
    write_clip(tmp_path / "a.mkv", 5)
    options = {**SMALL, **options}
    with pytest.raises(ValueError, match=message):
        VideoFolder(tmp_path / options.pop("root", "."), **options)


# --- real videos


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


# --- what a folder holds


def test_a_pattern_may_be_a_text(tmp_path):
    for name in ("a/1.mkv", "b/1.mkv"):
        write_clip(tmp_path / name, 5)
    assert [clip.name for clip in VideoFolder(tmp_path, **SMALL, include="a/*")] == ["a/1.mkv@0.00s"]
    assert [clip.name for clip in VideoFolder(tmp_path, **SMALL, exclude="a/*")] == ["b/1.mkv@0.00s"]
    with pytest.raises(ValueError, match=r'got \[3\] as `include`; wanted patterns of paths; e.g. \["a/\*"\]'):
        VideoFolder(tmp_path, **SMALL, include=[3])


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


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_lines_of_captions_end_with_a_line_feed_alone(tmp_path, separator):
    write_clip(tmp_path / "a.mkv", 5)
    text = f"a dog{separator}runs"
    escaped = {"\x0b": "\\u000b", "\x0c": "\\f", "\x1c": "\\u001c", "\r": "\\r"}.get(separator, separator)
    row = f'{{"file": "a.mkv", "caption": "a dog{escaped}runs"}}'
    (tmp_path / "captions.jsonl").write_bytes(f"\ufeff{row}\r\n\r\n".encode())
    folder = VideoFolder(tmp_path, **SMALL)
    assert folder[0].captions == (Caption(0, text),) and folder.skipped == {}


def test_a_line_in_another_encoding_is_skipped_and_named(tmp_path):
    write_clip(tmp_path / "a.mkv", 5)
    (tmp_path / "captions.jsonl").write_bytes(b'{"file": "a.mkv"}\n{"file": "caf\xe9.mkv"}\n')
    folder = VideoFolder(tmp_path, **SMALL)
    assert "is not UTF-8 text" in folder.skipped["captions.jsonl line 2"] and len(folder) == 1


# --- read through once


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


# --- what the clips depend on


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
