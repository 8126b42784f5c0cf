"""Which frames a file has and when they are shown: streams, rates, joins, damage, and clips read again."""

import os
import random
from itertools import islice
from pathlib import Path

import av
import pytest
import torch
from numbered import SIZE, numbers, picture, write

from framecast.data import VideoError, VideoReader, probe_video, read_video

CASES = Path(os.environ.get("FRAMECAST_CASES", Path(__file__).resolve().parents[3] / "../shared/data/cases"))
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="skipped: no cases; set FRAMECAST_CASES to their folder")
KINDS = {  # suffix -> codec and options
    "mp4": ("libx264", {"bf": "2"}),
    "mkv": ("libx264", {"bf": "2", "x264-params": "open-gop=1"}),
    "avi": ("libx264", {"bf": "2"}),
    "ts": ("libx264", {"bf": "2"}),
    "mpg": ("mpeg2video", {"bf": "2", "qmin": "2", "qmax": "3"}),
    "flv": ("libx264", {"bf": "2"}),
    "webm": ("libvpx", {"b": "400k", "deadline": "realtime", "cpu-used": "8"}),
    "h264": ("libx264", {"bf": "2"}),
    "m2v": ("mpeg2video", {"qmin": "2", "qmax": "3"}),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> dict[str, Path]:
    """60 numbered frames at 24 frames/s in each kind of file, a key frame at every twelfth."""
    folder = tmp_path_factory.mktemp("kinds")
    return {suffix: write(folder / f"a.{suffix}", range(60), codec, **options) for suffix, (codec, options) in KINDS.items()}


@pytest.mark.parametrize("suffix", KINDS)
def test_each_frame_comes_once_and_at_its_time(videos, suffix):
    video = read_video(videos[suffix])
    assert (video.fps, numbers(video.frames), video.damage) == (pytest.approx(24, rel=0.001), list(range(60)), None)
    assert numbers(read_video(videos[suffix], fps=12).frames) == list(range(0, 60, 2))


@pytest.mark.parametrize("suffix", KINDS)
def test_a_clip_read_from_a_key_frame_is_the_same_to_the_last_bit(videos, suffix):
    whole = read_video(videos[suffix], fps=24).frames
    for skipped in (25, 31, 36, 47, 56):
        part = read_video(videos[suffix], fps=24, start=skipped / 24, num_frames=4).frames
        assert torch.equal(part, whole[skipped : skipped + 4]), skipped


def test_control_a_clip_is_not_decoded_from_the_start_where_there_is_a_key_frame(videos, monkeypatch):
    """What the test above compares are two ways of reading."""
    for suffix in ("mp4", "mkv", "ts", "mpg", "avi", "webm"):
        with VideoReader(videos[suffix], fps=24, start=47 / 24) as reader:
            assert reader._decoder._count < 12, suffix


def test_the_video_is_taken_and_not_the_cover(tmp_path):
    path = tmp_path / "cover.mp4"
    cover = av.VideoFrame.from_ndarray(picture(200).repeat(8, 0).repeat(8, 1), format="rgb24").reformat(format="yuvj420p")
    with av.open(str(path), "w") as container:
        still = container.add_stream("mjpeg", rate=1)
        moving = container.add_stream("libx264", rate=24)
        still.height = still.width = 8 * SIZE
        still.pix_fmt, moving.pix_fmt = "yuvj420p", "yuv420p"
        moving.height = moving.width = SIZE
        cover.pts = 0
        container.mux(still.encode(cover))
        container.mux(still.encode(None))
        for number in range(9):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(moving.encode(frame))
        container.mux(moving.encode(None))
    assert numbers(read_video(path).frames) == list(range(9))  # the still is larger, and in front


def test_an_unknown_codec_is_refused_by_name(videos, tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(videos["avi"].read_bytes().replace(b"H264", b"ZZ9Z"))
    with pytest.raises(VideoError, match=r"a\.avi (has a video stream of a kind that is unknown here|cannot be opened)"):
        read_video(path)


@pytest.mark.parametrize("rate", [10, 30, 50])
@pytest.mark.parametrize("suffix", ["h264", "m4v", "ts", "flv"])
def test_the_rate_is_that_of_the_stream(tmp_path, suffix, rate):
    path = write(tmp_path / f"a.{suffix}", range(20), "mpeg4" if suffix == "m4v" else "libx264", rate=rate)
    assert probe_video(path).fps == pytest.approx(rate, rel=0.005)
    assert numbers(read_video(path, fps=rate).frames) == list(range(20))


def test_joined_recordings_go_on(videos, tmp_path):
    for suffix in ("ts", "mpg"):
        path = tmp_path / f"joined.{suffix}"
        path.write_bytes(videos[suffix].read_bytes() * 2)
        video = read_video(path, fps=24)
        assert numbers(video.frames) == 2 * list(range(60)) and video.damage is None
        part = read_video(path, fps=24, start=100 / 24, num_frames=5)
        assert torch.equal(part.frames, video.frames[100:105])


def test_a_start_between_key_frames_is_not_frozen(videos, tmp_path):
    path = tmp_path / "cut.ts"
    path.write_bytes(videos["ts"].read_bytes()[188 * 8 :])
    shown = numbers(read_video(path, fps=24).frames)
    assert shown == list(range(shown[0], 60)) and 0 < shown[0] <= 36 and shown[0] % 12 == 0


def damaged(path: Path, target: Path, at: int, length: int = 60) -> Path:
    """A copy in which a stretch of bytes is wrong."""
    content = bytearray(path.read_bytes())
    content[at : at + length] = bytes(255 - byte for byte in content[at : at + length])
    target.write_bytes(content)
    return target


def position_of(path: Path, index: int) -> int:
    """Where in a file the packet `index` lies."""
    with av.open(str(path)) as container:
        return next(islice(container.demux(video=0), index, None)).pos


def test_reading_goes_on_at_the_next_key_frame(videos, tmp_path):
    path = damaged(videos["mp4"], tmp_path / "a.mp4", position_of(videos["mp4"], 26))
    video = read_video(path)
    shown = numbers(video.frames)
    assert shown[:24] == list(range(24)) and shown[-24:] == list(range(36, 60)) and len(shown) < 58
    assert "cannot be decoded" in video.damage or "is damaged" in video.damage
    at_rate = numbers(read_video(path, fps=24).frames)
    assert len(at_rate) == 60 and at_rate[36:] == list(range(36, 60))  # what follows is shown at its own time
    part = read_video(path, fps=24, start=50 / 24, num_frames=3)
    assert numbers(part.frames) == [50, 51, 52]


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_a_file_that_is_cut_off_says_so(videos, tmp_path, suffix):
    whole = videos[suffix].read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
    video = read_video(tmp_path / f"cut.{suffix}")
    assert numbers(video.frames) == list(range(len(video.frames))) and 5 < len(video.frames) < 50
    assert "the file ends after" in video.damage and "its header says 2.50 s" in video.damage


def test_lost_packets_of_a_broadcast_are_said(videos, tmp_path):
    whole = videos["ts"].read_bytes()
    middle = len(whole) // 188 // 2 * 188
    (tmp_path / "hole.ts").write_bytes(whole[:middle] + whole[middle + 5 * 188 :])
    video = read_video(tmp_path / "hole.ts")
    shown = numbers(video.frames)
    assert shown == sorted(set(shown)) and 30 < len(shown) < 60 and video.damage is not None


RIGHT = {  # file -> rate at which to read, numbers of the frames
    "bframes.avi": (12, list(range(0, 96, 2))),
    "bitrot_mid.mp4": (None, [*range(32), *range(48, 96)]),
    "c_mpg.mpg": (None, list(range(96))),
    "cover_tag_first.mp4": (None, list(range(96))),
    "cut_start.ts": (24, list(range(24, 96))),
    "t30.h264": (30, list(range(60))),
    "t30.ogv": (30, list(range(60))),
    "trim_editlist.mp4": (None, list(range(32, 96))),
}


def case_numbers(frames: torch.Tensor) -> list[int]:
    """The numbers in the frames of these files: eight bars below the middle."""
    light = frames[:, 38:43].float().mean(dim=(1, 3))
    return [sum(int(row[8 * bit + 2 : 8 * bit + 6].mean() > 120) << bit for bit in range(8)) for row in light]


@needs_cases
@pytest.mark.parametrize("name", RIGHT)
def test_cases_read_right(name):
    fps, wanted = RIGHT[name]
    video = read_video(CASES / name, fps=fps)
    assert case_numbers(video.frames) == wanted
    assert probe_video(CASES / name).fps == (30 if name.startswith("t30") else 24)
    assert ("cannot be decoded" in (video.damage or "")) == (name == "bitrot_mid.mp4")


@needs_cases
def test_joined_case_lasts_four_seconds():
    shown = case_numbers(read_video(CASES / "joined_restart.ts", fps=24).frames)
    assert shown == [*range(48), *range(100, 148)]


@needs_cases
@pytest.mark.parametrize(("name", "corners"), [("hflip", [1, 0, 3, 2]), ("vflip", [2, 3, 0, 1]), ("transpose", [0, 2, 1, 3])])
def test_mirrored_cases_stand_as_players_show_them(name, corners):
    shown = read_video(CASES / f"{name}.mp4", num_frames=1).frames[0].float()
    drawn = torch.tensor([[220, 30, 30], [30, 220, 30], [30, 30, 220], [128, 128, 128]]).float()
    found = torch.stack([shown[y, x] for y, x in ((8, 8), (8, 55), (55, 8), (55, 55))])
    assert (found - drawn[corners]).abs().max() < 25


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to("nowhere")])
def test_what_is_no_regular_file_is_refused_without_opening_it(tmp_path, make):
    make(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match=r"is not a file but a (pipe|device)|is a link to what does not exist"):
        read_video(tmp_path / "a.mp4")


@pytest.mark.parametrize("suffix", ["ts", "mpg", "avi", "flv", "webm", "m2v"])
def test_damaged_bytes_never_raise_anything_else(videos, tmp_path, suffix):
    good, outcomes = videos[suffix].read_bytes(), set()
    for seed in range(25):
        rng = random.Random(seed)
        content = bytearray(good)
        for _ in range(rng.choice([4, 40, 400])):
            content[rng.randrange(min(len(good), rng.choice([300, len(good)])))] = rng.randrange(256)
        (tmp_path / f"a.{suffix}").write_bytes(content[: rng.choice([len(good), rng.randrange(1, len(good))])])
        for start in (0.0, 1.5):
            try:
                read_video(tmp_path / f"a.{suffix}", fps=12, size=16, start=start, num_frames=3)
                outcomes.add("read")
            except VideoError:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}
