"""VideoFolder: windows, captions on a timeline, memory, and files that cannot be used."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from framecast.data import Caption, VideoFolder, write_video

REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[2] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")
SMALL = {"num_frames": 5, "size": 16, "fps": 10.0}


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
        ("{oops", "line 2: Expecting property name"),
        ("[]", 'line 2: got no "file"; wanted {"file"'),
        ('{"caption": "x"}', 'line 2: got no "file"'),
        ('{"file": "a.mkv"}', "line 2: a.mkv is listed twice"),
        ('{"file": "b.mkv", "caption": 3}', "line 2: got a caption 3 that is no text"),
        ('{"file": "b.mkv", "caption": "x", "captions": []}', 'got both "caption" and "captions"'),
        ('{"file": "b.mkv", "captions": [{"start": 2, "end": 1, "text": "x"}]}', "got a caption from 2.0 s to 1.0 s"),
        ('{"file": "b.mkv", "captions": [{"end": 1, "text": "x"}]}', "line 2: 'start'"),
        ('{"file": "b.mkv", "captions": "x"}', "line 2"),
    ],
)
def test_a_bad_line_of_captions_is_named(tmp_path, row, message):
    write_clip(tmp_path / "a.mkv", 5)
    write_captions(tmp_path, {"file": "a.mkv"}, row)
    with pytest.raises(ValueError, match=r"captions\.jsonl") as refused:
        VideoFolder(tmp_path, **SMALL)
    assert message in str(refused.value)


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
        "odd_bitflips.mp4", "odd_empty.mp4", "odd_not_a_video.mp4", "odd_single_frame.mp4", "odd_truncated_nomoov.mp4"
    ]  # fmt: skip
    assert sorted(folder.damaged) == ["corrupted_h264.mp4", "odd_truncated_faststart.mp4"]
    assert "rot90_phone.mov@0.00s" in {clip.name for clip in folder}
