"""Folders of real video: cuts, bars, shapes, stills and long files."""

import json

import numpy as np
import odd_videos as odd
import pytest
import torch

from framecast.data import CaptionedClip, VideoError, VideoFolder
from framecast.data.shots import Shots

pytestmark = pytest.mark.usefixtures("own_caches")
CLIPS = {"num_frames": 9, "size": (48, 64), "fps": 12.0}
OFF = {"split_shots": False, "crop_bars": False, "skip_stills": False}


def starts(folder: VideoFolder) -> list[float]:
    return [round(float(clip.name.split("@")[1][:-1]) * 12) for clip in folder]


def test_no_clip_holds_a_cut(tmp_path):
    frames = odd.write(tmp_path / "a.mkv", odd.moving(25, 1), odd.moving(30, 2))
    folder = VideoFolder(tmp_path, **CLIPS, cache_bytes=0)
    assert starts(folder) == [0, 9, 25, 34, 43] and folder.remarks["a.mkv"].cuts == 1
    assert "1 file split at 1 cut between shots" in folder.summary()
    for start, clip in zip(starts(folder), folder, strict=True):
        np.testing.assert_array_equal(clip.frames.numpy(), frames[start : start + 9])
    again = VideoFolder(tmp_path, **CLIPS)  # from the index
    assert starts(again) == starts(folder) and again.fingerprint() == folder.fingerprint()
    assert folder.seconds_of_video == pytest.approx(45 / 12)


def test_without_the_setting_clips_hold_the_cut(tmp_path):
    """The control, also of the index: a scan at one setting says nothing of another."""
    odd.write(tmp_path / "a.mkv", odd.moving(25, 1), odd.moving(30, 2))
    split = VideoFolder(tmp_path, **CLIPS)
    whole = VideoFolder(tmp_path, **CLIPS, split_shots=False)
    assert starts(whole) == [0, 9, 18, 27, 36, 45] and whole.fingerprint() != split.fingerprint()
    assert starts(VideoFolder(tmp_path, **CLIPS)) == starts(split)
    begins = Shots()
    assert [begins.begins(frame) for frame in whole[2].frames.numpy()].count(True) == 2
    assert starts(VideoFolder(tmp_path, **{**CLIPS, "fps": 4.0}, split_shots=True))  # too few frames to look for cuts


def test_a_folder_of_plain_files_is_what_it_was(tmp_path):
    odd.write(tmp_path / "a.mkv", odd.moving(40, 1))
    plain, looked_at = VideoFolder(tmp_path, **CLIPS, **OFF), VideoFolder(tmp_path, **CLIPS)
    assert looked_at.fingerprint() == plain.fingerprint() and "cut" not in plain.fingerprint()
    assert all(torch.equal(one.frames, other.frames) for one, other in zip(plain, looked_at, strict=True))
    scans = json.loads((tmp_path / ".framecast-index.json").read_text())["files"]["a.mkv"]["scans"]
    assert "9x48x64 at 12.0 by 9" in scans and len(scans) == 2  # the setting of old indexes is that of all switched off


def darkest_line(clip: CaptionedClip) -> float:
    """The mean of the darkest row or column."""
    return min(float(clip.frames.float().mean(others).min()) for others in ((0, 2, 3), (0, 1, 3)))


@pytest.mark.parametrize(("rows", "columns"), [(8, 0), (0, 12)])
def test_bars_are_cut_off(tmp_path, rows, columns):
    frames = odd.moving(60, 3)
    odd.write(tmp_path / "a.mkv", odd.with_bars(frames, rows, columns))
    options = {**CLIPS, "size": (48 + 2 * rows, 64 + 2 * columns), "cache_bytes": 0}
    folder, kept = VideoFolder(tmp_path, **options), VideoFolder(tmp_path, **options, crop_bars=False)
    bars = folder.remarks["a.mkv"].bars
    assert (bars.top > 0, bars.left > 0) == (rows > 0, columns > 0) and "black bars cut off in 1 file" in folder.summary()
    assert darkest_line(folder[1]) > 40 > 10 > darkest_line(kept[1])
    assert darkest_line(next(folder.whole_videos())) > 40
    assert kept.fingerprint() != folder.fingerprint()


def test_dark_scenes_have_no_bars(tmp_path):
    frames = odd.moving(60, 3, 64, 64)
    light = np.clip(np.linspace(-0.5, 2.5, 64), 0, 1) * np.clip(np.linspace(2.5, -0.5, 64), 0, 1)
    odd.write(tmp_path / "vignette.mkv", (frames * light[:, None, None]).astype(np.uint8))
    one_sided = frames.copy()
    one_sided[:, :16] = 3
    odd.write(tmp_path / "ceiling.mkv", one_sided)
    odd.write(tmp_path / "night.mkv", odd.with_bars(frames // 16, 8))
    changing = odd.with_bars(frames, 8)
    changing[30:] = odd.moving(30, 4, 80, 64)
    odd.write(tmp_path / "changing.mkv", changing)
    folder = VideoFolder(tmp_path, **CLIPS)
    assert len(folder.remarks) == 4 and not any(remarks.bars for remarks in folder.remarks.values())


def test_pictures_of_another_shape_are_cropped_or_padded(tmp_path):
    odd.write(tmp_path / "tall.mkv", odd.moving(20, 1, 128, 72))
    odd.write(tmp_path / "plain.mkv", odd.moving(20, 1, 64, 80))
    cropped, padded = (VideoFolder(tmp_path, 9, 64, 12.0, fit=fit) for fit in ("crop", "pad"))
    assert cropped.remarks["tall.mkv"].cut == pytest.approx(1 - 72 / 128, abs=0.01)
    assert "more than a third of the picture cut off to fit in 1 file, up to 44%" in cropped.summary()
    assert "cut off" not in padded.summary() and padded.remarks["tall.mkv"].cut < 0.01
    tall = padded[len(padded) - 1].frames
    assert not tall[:, :, :14].any() and not tall[:, :, -14:].any() and (tall[:, :, 14:50].float().mean((0, 3)) > 20).all()
    assert padded.fingerprint() != cropped.fingerprint()
    with pytest.raises(ValueError, match=r"got fit 'stretch'; wanted 'crop', .* or 'pad'"):
        VideoFolder(tmp_path, 9, 64, fit="stretch")


def test_stills_are_left_out_and_named(tmp_path):
    odd.write(tmp_path / "photo.mp4", odd.still(80))
    odd.write(tmp_path / "slides.mp4", odd.still(50, 1), odd.still(50, 2))
    speck = odd.still(80)
    for index, frame in enumerate(speck):
        frame[20:23, index % 60 : index % 60 + 3] = 255
    odd.write(tmp_path / "speck.mp4", speck)
    odd.write(tmp_path / "waits.mp4", odd.still(40, 3), odd.moving(40, 3))
    folder = VideoFolder(tmp_path, **CLIPS)
    assert sorted(folder.skipped) == ["photo.mp4", "slides.mp4"] and "nothing moves in it" in folder.skipped["photo.mp4"]
    assert folder.remarks["waits.mp4"].still_clips in (4, 5) and folder.remarks["speck.mp4"].still_clips == 0
    assert len(VideoFolder(tmp_path, **CLIPS, skip_stills=False).remarks) == 4


def test_a_folder_of_stills_says_so(tmp_path):
    odd.write(tmp_path / "photo.mp4", odd.still(80))
    with pytest.raises(
        ValueError, match=r"no clip can be made .*photo.mp4: nothing moves in it, as in a photo.*skip_stills=False"
    ):
        VideoFolder(tmp_path, **CLIPS)


def test_of_a_long_file_stretches_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("framecast.data.scanning.STRETCH", 2.0)
    frames = odd.write(tmp_path / "long.mkv", odd.moving(400, 5))
    odd.write(tmp_path / "short.mkv", odd.moving(50, 6))
    folder = VideoFolder(tmp_path, **CLIPS, seconds_per_file=6.0, cache_bytes=0)
    places = [start for clip, start in zip(folder, starts(folder), strict=True) if "long" in clip.name]
    assert places == [0, 9, 188, 197, 376, 385]  # at the start, in the middle and at the end
    for index, start in enumerate(places):
        np.testing.assert_array_equal(folder[index].frames.numpy(), frames[start : start + 9])
    assert "6 s of the 33 s in 1 long file read, spread over them" in folder.summary()
    assert not folder.remarks["short.mkv"].is_read_in_part
    with pytest.raises(ValueError, match="got seconds_per_file 0; wanted seconds of video to read of each file, at least 1"):
        VideoFolder(tmp_path, **CLIPS, seconds_per_file=0)


def test_a_part_of_each_file_shares_no_frame_with_the_other_part(tmp_path):
    frames = odd.write(tmp_path / "a.mkv", odd.moving(100, 5))
    before, after = (VideoFolder(tmp_path, **CLIPS, step=4, part=part) for part in ((0.0, 0.7), (0.7, 1.0)))
    assert starts(before)[-1] + 9 <= starts(after)[0] and len(before) > len(after) > 1
    for folder in (before, after):
        for clip, start in zip(folder, starts(folder), strict=True):
            np.testing.assert_array_equal(clip.frames.numpy(), frames[start : start + 9])
    assert before.fingerprint() != after.fingerprint()
    with pytest.raises(ValueError, match=r"got a part \(0.5, 0.5\); wanted two shares of a file"):
        VideoFolder(tmp_path, **CLIPS, part=(0.5, 0.5))


@pytest.mark.parametrize("stored_fps", [240.0, 60.0, 30.0, 5.0])
def test_any_rate_gives_the_frames_that_are_shown(tmp_path, stored_fps):
    """Each frame is of one brightness, which is its second."""
    seconds = np.arange(int(3 * stored_fps)) / stored_fps
    levels = (40 + 60 * seconds).astype(np.uint8)
    odd.write(tmp_path / "a.mkv", np.broadcast_to(levels[:, None, None, None], (len(levels), 32, 32, 3)), fps=stored_fps)
    clip = VideoFolder(tmp_path, 33, 32, 12.0)[0]
    wanted = 40 + 60 * np.floor(np.arange(33) / 12 * stored_fps + 1e-6) / stored_fps
    np.testing.assert_allclose(clip.frames.float().mean((1, 2, 3)).numpy(), wanted, atol=2.5)


def test_a_file_that_changes_is_noticed(tmp_path):
    odd.write(tmp_path / "a.mkv", odd.moving(25, 1), odd.moving(30, 2))
    folder = VideoFolder(tmp_path, **CLIPS, cache_bytes=0)
    odd.write(tmp_path / "a.mkv", odd.moving(20, 1))
    with pytest.raises(VideoError, match="has changed since the folder was opened"):
        folder[3]
