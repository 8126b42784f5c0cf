"""Video files in: time, and every way a file can be bad."""

import os
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from grey_frames import noise, numbered_frames, numbers
from PIL import Image

from framecast.data import VideoError, probe_video, read_video, write_video
from framecast.data.video import container as container_module
from framecast.data.video.container import Container
from framecast.data.video.pictures import PictureMaker

REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[3] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".apng"])
@pytest.mark.parametrize(("stored", "wanted"), [(12, 24), (30, 12), (10, 10), (12, 5), (25, 12)])
def test_rate_is_changed_by_time_stamps(tmp_path, suffix, stored, wanted):
    path = tmp_path / f"clip{suffix}"
    write_video(path, numbered_frames(20), stored)
    moments = [index for index in range(200) if Fraction(index, wanted) < Fraction(20, stored)]
    shown = [int(Fraction(index, wanted) * stored) for index in moments]
    assert numbers(read_video(path, fps=wanted).frames) == shown


def test_variable_rate_holds_each_frame_for_its_time(tmp_path):
    frames = [Image.fromarray(frame) for frame in numbered_frames(4)]
    durations = [100, 300, 50, 250]  # milliseconds
    frames[0].save(tmp_path / "uneven.png", save_all=True, append_images=frames[1:], duration=durations)
    video = read_video(tmp_path / "uneven.png", fps=20)
    assert numbers(video.frames) == [0] * 2 + [1] * 6 + [2] * 1 + [3] * 5
    assert numbers(read_video(tmp_path / "uneven.png").frames) == [0, 1, 2, 3]


@pytest.mark.parametrize("fps", [None, 12.0, 5.0])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_reading_from_a_start_equals_reading_all(tmp_path, suffix, fps):
    path = tmp_path / f"clip{suffix}"
    write_video(path, noise(30, 16, 16), fps=10)
    whole = read_video(path, fps=fps)
    for skipped in (1, 7, 13, len(whole.frames) - 2):
        part = read_video(path, fps=fps, start=skipped / whole.fps, num_frames=min(4, len(whole.frames) - skipped))
        assert torch.equal(part.frames, whole.frames[skipped : skipped + 4]), skipped


def test_seeking_is_used_and_falls_back_to_decoding_all(tmp_path, monkeypatch):
    path = tmp_path / "clip.mp4"
    write_video(path, noise(60, 16, 16), fps=10)
    wanted = read_video(path, start=5.0, num_frames=3).frames
    assert torch.equal(wanted, read_video(path).frames[50:53])
    monkeypatch.setattr(Container, "seek", lambda *_: False)
    assert torch.equal(read_video(path, start=5.0, num_frames=3).frames, wanted)


def test_a_jump_of_the_time_stamps_is_said_and_time_goes_on(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mkv", numbered_frames(5), fps=1)
    monkeypatch.setattr(container_module, "MAX_GAP", 0.5)
    video = read_video(tmp_path / "clip.mkv")
    assert numbers(video.frames) == [0, 1, 2, 3, 4] and "time stamps jump by 1 s after 0.00 s" in video.damage


def test_decoding_stops_when_the_wanted_frames_are_there(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mkv", numbered_frames(20), fps=10)
    converted = []
    convert = PictureMaker.__call__
    monkeypatch.setattr(PictureMaker, "__call__", lambda self, frame: converted.append(1) or convert(self, frame))
    read_video(tmp_path / "clip.mkv", num_frames=3)
    assert len(converted) == 3
    converted.clear()
    assert len(read_video(tmp_path / "clip.mkv", fps=100, num_frames=15).frames) == 15
    assert len(converted) == 2  # a frame that is shown several times is converted once


def test_probe_says_what_the_file_is(tmp_path):
    write_video(tmp_path / "clip.mp4", numbered_frames(24, 32, 48), fps=12)
    info = probe_video(tmp_path / "clip.mp4")
    assert (info.width, info.height, info.fps, info.num_frames) == (48, 32, 12.0, 24)
    assert info.duration == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist; check the path"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
        (lambda path: path.write_text("no video, but text\n" * 50), "cannot be opened as a video"),
        (lambda path: path.write_bytes(os.urandom(5000)), "cannot be opened as a video|no frame of"),
    ],
)
def test_unreadable_files_are_refused_by_name(tmp_path, make, message):
    path = tmp_path / "bad: clip%d.mp4"
    make(path)
    with pytest.raises(VideoError, match=message) as refused:
        read_video(path)
    assert str(path) in str(refused.value)


def test_too_few_frames_are_refused(tmp_path):
    write_video(tmp_path / "clip.mkv", numbered_frames(9), fps=12)
    with pytest.raises(VideoError, match=r"has 9 frames at 12 fps from 0.00 s on; wanted 17; ask for fewer"):
        read_video(tmp_path / "clip.mkv", num_frames=17)
    with pytest.raises(VideoError, match=r"has 0 frames at 12 fps from 5.00 s on; wanted at least 1"):
        read_video(tmp_path / "clip.mkv", start=5.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps is 0; wanted above 0"),
        ({"fps": float("nan")}, "got fps nan"),
        ({"size": 0}, "got size 0; wanted"),
        ({"size": (8, -1)}, r"got size \(8, -1\)"),
        ({"start": -1.0}, "start is -1.0; wanted seconds"),
        ({"num_frames": 0}, "got num_frames 0; wanted a whole number, at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, options, message):
    write_video(tmp_path / "clip.mkv", numbered_frames(2), fps=12)
    with pytest.raises(ValueError, match=message):
        read_video(tmp_path / "clip.mkv", **options)


def test_a_truncated_file_gives_what_decodes_unless_more_is_asked(tmp_path):
    path = tmp_path / "clip.mkv"
    write_video(path, noise(20, 32, 32), fps=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = read_video(path)
    assert 5 <= len(video.frames) <= 11
    np.testing.assert_array_equal(video.frames.numpy(), noise(20, 32, 32)[: len(video.frames)])
    with pytest.raises(VideoError, match="wanted 20"):
        read_video(path, num_frames=20)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ".apng"])
def test_damaged_bytes_never_raise_anything_else(tmp_path, suffix):
    """PyAV raises several kinds of errors on damaged files; all must come out as VideoError."""
    path = tmp_path / f"clip{suffix}"
    write_video(path, noise(6, 32, 32), fps=10)
    good = path.read_bytes()
    outcomes = set()
    for seed in range(40):
        rng = random.Random(seed)
        damaged = bytearray(good)
        for _ in range(rng.choice([1, 4, 40])):
            damaged[rng.randrange(min(len(good), rng.choice([200, len(good)])))] = rng.randrange(256)
        path.write_bytes(bytes(damaged[: rng.choice([len(good), len(good), rng.randrange(1, len(good))])]))
        try:
            read_video(path, fps=10, size=16, num_frames=2)
            outcomes.add("read")
        except VideoError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


READ = {  # file -> frames, rows, columns, rate, what is said of damage
    "asl_thanks_fullrange.mkv": (51, 480, 640, 30.0, None),
    "av1_video.mkv": (125, 360, 640, 25.0, None),
    "chaplin_h264_aac.mp4": (241, 360, 640, 25.0, None),
    "corrupted_h264.mp4": (30, 720, 1280, 10.0, "frame 28 cannot be decoded"),
    "flower_fragmented.mp4": (150, 540, 960, 29.97, None),
    "flower_vp8.webm": (150, 540, 960, 29.97, None),
    "h264_10bits.mp4": (30, 200, 200, 30.0, None),
    "h265_10bits.mp4": (30, 200, 200, 30.0, None),
    "h265_video.mp4": (10, 128, 128, 10.0, None),
    "multi_stream_nasa.mp4": (390, 270, 480, 29.97, None),
    "no_duration_vfr_vp9.webm": (74, 720, 1280, 14.985, None),
    "odd_101x67_yuv444.mp4": (60, 67, 101, 25.0, None),
    "odd_single_frame.mp4": (1, 128, 228, 25.0, None),
    "odd_truncated_faststart.mp4": (66, 128, 228, 29.97, "frame 64 cannot be decoded"),
    "odd_vfr.mp4": (90, 128, 228, 7.26, None),
    "people_vardelay.gif": (23, 270, 480, 12.0, None),
    "raw_annexb_320x192.264": (9, 192, 320, 25.0, None),
    "rot180_phone.mov": (3, 320, 568, 30.0, None),
    "rot270_phone.mov": (3, 568, 320, 30.0, None),
    "rot90_phone.mov": (3, 568, 320, 30.0, None),
    "unordered_50x50.mov": (4, 50, 50, 32.0, None),
}
REFUSED = {
    "odd_audio_only.m4a": "has no video stream, only audio",
    "odd_bitflips.mp4": "no frame of .* can be decoded .*frame 0 is damaged",
    "odd_empty.mp4": r"is empty \(0 bytes\)",
    "odd_not_a_video.mp4": "cannot be opened as a video",
    "odd_truncated_nomoov.mp4": "cannot be opened as a video",
    "raw_i420_320x192_12fps.yuv": "raw pictures carry no size or rate.*ffmpeg -f rawvideo",
}


@needs_real
def test_the_table_of_odd_files_is_complete():
    assert sorted(READ | REFUSED) == sorted(path.name for path in (REAL / "originals").iterdir())


@needs_real
@pytest.mark.parametrize("name", READ)
def test_odd_files_read_right(name):
    num_frames, height, width, fps, damage = READ[name]
    path = REAL / "originals" / name
    info = probe_video(path)
    video = read_video(path, size=24)
    assert (len(video.frames), info.height, info.width) == (num_frames, height, width)
    assert info.fps == video.fps == pytest.approx(fps, abs=0.01)
    assert damage is None if video.damage is None else damage in video.damage
    assert name == "unordered_50x50.mov" or video.frames[0].float().std() > 0.5  # a picture, not one plain colour


@needs_real
@pytest.mark.parametrize("name", REFUSED)
def test_odd_files_are_refused_with_a_reason(name):
    with pytest.raises(VideoError, match=REFUSED[name]):
        read_video(REAL / "originals" / name)


@needs_real
@pytest.mark.parametrize(("name", "fps", "num_frames"), [("odd_vfr.mp4", 12, 149), ("raw_annexb_320x192.264", 50, 18)])
def test_odd_time_is_kept(name, fps, num_frames):
    assert len(read_video(REAL / "originals" / name, fps=fps, size=16).frames) == num_frames


@needs_real
@pytest.mark.parametrize(
    ("name", "halves"),  # mean light of the upper, lower, left and right half, of frames that were seen to be upright
    [
        ("rot90_phone.mov", (108.5, 83.2, 92.0, 99.7)),
        ("rot180_phone.mov", (122.2, 102.1, 108.1, 116.2)),
        ("rot270_phone.mov", (149.8, 95.4, 125.5, 119.7)),
    ],
)
def test_phone_videos_stand_upright(name, halves):
    light = read_video(REAL / "originals" / name, num_frames=1).frames[0].float().mean(-1)
    rows, columns = light.shape[0] // 2, light.shape[1] // 2
    seen = (light[:rows].mean(), light[rows:].mean(), light[:, :columns].mean(), light[:, columns:].mean())
    assert [float(half) for half in seen] == pytest.approx(halves, abs=2)
