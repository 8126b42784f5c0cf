"""Video files in and out: round trips, time, shape, rotation, and every way a file can be bad."""

import os
import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import SpriteWorld, VideoError, probe_video, read_video, write_video
from framecast.data.files import WriteError
from framecast.data.video import Mp4Stream, Y4MStream
from framecast.data.video import container as container_module
from framecast.data.video.container import Container
from framecast.data.video.encoding import WRITERS
from framecast.data.video.pictures import PictureMaker

REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[2] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")


def numbered_frames(num_frames: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Grey frames whose level tells their number: 10, 20, 30, ..."""
    levels = 10 * np.arange(1, num_frames + 1, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (num_frames, height, width, 3)).copy()


def numbers(frames: torch.Tensor) -> list[int]:
    """The numbers of grey frames, from 0."""
    return [round(level / 10) - 1 for level in frames.float().mean(dim=(1, 2, 3)).tolist()]


def noise(num_frames: int = 5, height: int = 19, width: int = 23, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


# --- round trips


@pytest.mark.parametrize("suffix", [".mkv", ".png", ".apng", ".webp"])
@pytest.mark.parametrize("size", [(32, 48), (19, 23), (1, 1)])
def test_lossless_kinds_keep_every_bit(tmp_path, suffix, size):
    path, frames = tmp_path / f"clip{suffix}", noise(5, *size)
    write_video(path, torch.from_numpy(frames), fps=12)
    if suffix == ".webp":  # ffmpeg cannot decode animated WebP
        with Image.open(path) as image:
            read = np.stack([_webp_frame(image, index) for index in range(image.n_frames)])
    else:
        video = read_video(path)
        assert video.fps == pytest.approx(12, rel=0.01) and video.damage is None
        read = video.frames.numpy()
    np.testing.assert_array_equal(read, frames)


def _webp_frame(image: Image.Image, index: int) -> np.ndarray:
    image.seek(index)
    return np.asarray(image.convert("RGB"))


def test_mp4_is_close_and_loses_something(tmp_path):
    smooth = np.linspace(0, 255, 48).astype(np.uint8)
    frames = np.broadcast_to(smooth[None, None, :, None], (4, 32, 48, 3)).copy()
    read = written_and_read(tmp_path / "smooth.mp4", frames)
    assert np.abs(read.astype(int) - frames).mean() < 3
    read = written_and_read(tmp_path / "noise.mp4", noise(4, 32, 48))
    assert not np.array_equal(read, noise(4, 32, 48))  # so the test of the lossless kinds can fail


def written_and_read(path: Path, frames: np.ndarray) -> np.ndarray:
    write_video(path, frames, fps=12)
    return read_video(path).frames.numpy()


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40)])
@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_colours_survive(tmp_path, colour, suffix):
    frames = np.broadcast_to(np.array(colour, np.uint8), (3, 32, 32, 3)).copy()
    frames[1:, :4, :4] = 128  # a still picture would not be animated
    assert np.abs(written_and_read(tmp_path / f"clip{suffix}", frames)[0, 10:, 10:].astype(int) - colour).max() <= 4


@pytest.mark.parametrize(("size", "stored"), [((32, 48), (32, 48)), ((19, 23), (20, 24)), ((1, 1), (2, 2))])
def test_mp4_pads_odd_sizes_with_a_copy_of_the_last_row_and_column(tmp_path, size, stored):
    frames = np.full((2, *size, 3), 90, np.uint8)
    read = written_and_read(tmp_path / "clip.mp4", frames)
    assert read.shape == (2, *stored, 3)
    assert np.abs(read.astype(int) - 90).max() <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ".apng"])
@pytest.mark.parametrize("fps", [5, 12, 23.976, 30])
def test_rate_and_length_survive(tmp_path, suffix, fps):
    write_video(tmp_path / f"clip{suffix}", numbered_frames(20), fps)
    video = read_video(tmp_path / f"clip{suffix}", fps=fps)
    assert numbers(video.frames) == list(range(20))
    assert probe_video(tmp_path / f"clip{suffix}").fps == pytest.approx(fps, rel=0.02)


# --- time


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


# --- shape


@pytest.mark.parametrize("size", [16, (16, 16), (8, 40), (40, 8), (64, 64)])
def test_size_covers_and_crops_the_centre(tmp_path, size):
    frames = np.zeros((2, 30, 60, 3), np.uint8)
    frames[:, 10:20, 20:40] = 255  # a white middle
    write_video(tmp_path / "clip.mkv", frames, 10)
    read = read_video(tmp_path / "clip.mkv", size=size).frames.float().mean(-1)[0]
    assert tuple(read.shape) == ((size, size) if isinstance(size, int) else size)
    assert (read - read.flip(0, 1)).abs().max() <= 6  # centred
    assert read[read.shape[0] // 2, read.shape[1] // 2] > 200


def test_scaling_down_is_antialiased(tmp_path):
    stripes = np.zeros((2, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 255
    write_video(tmp_path / "clip.mkv", stripes, 10)
    read = read_video(tmp_path / "clip.mkv", size=16).frames[0, 4:12, 4:12].float()
    assert read.min() > 90 and read.max() < 165  # grey, not stripes of another width


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_rotation_turns_the_frame_upright(tmp_path, degrees):
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :16] = 255  # white top left
    _write_rotated(tmp_path / "phone.mp4", stored, degrees)
    upright = np.rot90(stored, degrees // 90)  # the display matrix turns counterclockwise
    read = read_video(tmp_path / "phone.mp4").frames.numpy()
    assert read.shape == (3, *upright.shape)
    assert np.abs(read[0].astype(int) - upright).mean() < 8
    info = probe_video(tmp_path / "phone.mp4")
    assert (info.height, info.width) == upright.shape[:2]
    small = read_video(tmp_path / "phone.mp4", size=(10, 12)).frames
    assert tuple(small.shape) == (3, 10, 12, 3)


def _write_rotated(path: Path, picture: np.ndarray, degrees: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        stream.set_display_rotation(degrees)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))


def test_probe_says_what_the_file_is(tmp_path):
    write_video(tmp_path / "clip.mp4", numbered_frames(24, 32, 48), fps=12)
    info = probe_video(tmp_path / "clip.mp4")
    assert (info.width, info.height, info.fps, info.num_frames) == (48, 32, 12.0, 24)
    assert info.duration == pytest.approx(2.0)


# --- what cannot be read


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
        ({"fps": float("nan")}, "fps is nan"),
        ({"size": 0}, "size is 0"),
        ({"size": (8, -1)}, r"size is \(8, -1\)"),
        ({"start": -1.0}, "start is -1.0; wanted seconds"),
        ({"num_frames": 0}, "num_frames is 0; wanted at least 1"),
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


# --- what cannot be written


@pytest.mark.parametrize(
    ("name", "frames", "fps", "message"),
    [
        ("clip.xyz", numbered_frames(2), 12, r"suffix '.xyz' is unknown; use one of .mp4, .mkv"),
        ("clip", numbered_frames(2), 12, "suffix '' is unknown"),
        ("none/clip.mp4", numbered_frames(2), 12, "folder .*none does not exist; make it first"),
        ("clip.mp4", numbered_frames(2).astype(np.float32), 12, r"frames are float32 .*wanted uint8 \[T, H, W, 3\]"),
        ("clip.mp4", numbered_frames(2)[0], 12, r"frames are uint8 \[32, 48, 3\]"),
        ("clip.mp4", numbered_frames(2)[:0], 12, "with at least one frame"),
        ("clip.gif", numbered_frames(2), 0, "fps is 0; wanted"),
        ("clip.mp4", numbered_frames(2), float("inf"), "fps is inf; wanted"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, frames, fps, message):
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / name, frames, fps)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webp", ".png", ".gif"])
def test_the_same_frames_make_the_same_file(tmp_path, suffix):
    """Long enough for the encoder to look ahead: it then wrote other files from one call to the next."""
    noise = 4 * torch.randn(65, 64, 64, 3, generator=torch.Generator().manual_seed(0))
    frames = (SpriteWorld(num_frames=65, seed=1)[0].frames + noise).clamp(0, 255).to(torch.uint8)
    files = set()
    for _ in range(4):
        write_video(tmp_path / f"a{suffix}", frames, 12.0)
        files.add((tmp_path / f"a{suffix}").read_bytes())
    assert len(files) == 1


def test_fragmented_mp4_can_be_read_while_it_is_written(tmp_path):
    frames = torch.arange(12, dtype=torch.uint8).mul(20)[:, None, None, None].expand(12, 32, 48, 3)
    stream = Mp4Stream(tmp_path / "a.mp4", 32, 48, 12.0)
    for frame in frames[:8]:
        stream.write(frame.numpy())
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    for frame in frames[8:]:
        stream.write(frame.numpy())
    stream.close()
    so_far, whole = read_video(tmp_path / "b.mp4"), read_video(tmp_path / "a.mp4")
    assert 6 <= len(so_far.frames) <= 8 and len(whole.frames) == 12 and whole.fps == 12.0
    assert (whole.frames.float() - frames.float()).abs().max() < 6
    assert torch.equal(so_far.frames, whole.frames[: len(so_far.frames)])


def test_y4m_keeps_colours_but_for_rounding(tmp_path):
    frames = torch.randint(256, (3, 10, 14, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    frames[0] = 255
    frames[1] = 0
    with (tmp_path / "a.y4m").open("wb") as file:
        stream = Y4MStream(file, 10, 14, 12.5)
        for frame in frames:
            stream.write(frame.numpy())
        stream.close()
    video = read_video(tmp_path / "a.y4m")
    assert video.fps == 12.5 and (video.frames.int() - frames.int()).abs().max() <= 4
    assert (video.frames.float() - frames.float()).abs().mean() < 1.5


def test_a_failed_write_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.mp4"
    write_video(path, numbered_frames(3), 12)
    before = path.read_bytes()

    def fail(temporary, frames, fps):
        temporary.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setitem(WRITERS, ".mp4", fail)
    with pytest.raises(OSError, match=r"cannot write .*clip\.mp4: disk full; check the room, the rights and the name"):
        write_video(path, numbered_frames(5), 12)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".png", ".apng", ".webp", ".gif", ".mp4", ".mkv"])
@pytest.mark.parametrize("levels", [[90] * 24, [90] * 12 + [200] * 12, [90] * 23 + [200]])
def test_a_video_in_which_nothing_moves_keeps_its_length(tmp_path, suffix, levels):
    frames = np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], (24, 33, 31, 3))
    write_video(tmp_path / f"a{suffix}", frames, 12)
    if suffix == ".webp":
        with Image.open(tmp_path / "a.webp") as image:
            assert image.is_animated and sum(_webp_duration(image, index) for index in range(image.n_frames)) == 2000
            read = np.stack([_webp_frame(image, index) for index in (0, image.n_frames - 1)])
            assert read[0, 0, 0, 0] == levels[0] and read[1, 0, 0, 0] == levels[-1]
    else:
        read = read_video(tmp_path / f"a{suffix}", fps=12).frames[:, 0, 0, 0]
        assert len(read) == 24 and (read.int() - torch.tensor(levels)).abs().max() <= 2
    if suffix in (".png", ".apng", ".mp4", ".mkv"):
        assert len(read_video(tmp_path / f"a{suffix}").frames) == 24


def _webp_duration(image: Image.Image, index: int) -> int:
    image.seek(index)
    image.load()
    return image.info["duration"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ".gif"])
@pytest.mark.parametrize(
    "name",
    ["a:b", "-a", "a%03d", "a?b#c", "a\nb", "http:a", "a'b\"c", "n" * 240, os.fsdecode(b"caf\xe9"), "\u00e9\u4e2d", "pipe:1"],
)
def test_any_name_can_be_written_and_read(tmp_path, name, suffix, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path(f"{name}{suffix}")
    write_video(path, numbered_frames(3), 12)
    assert list(Path().iterdir()) == [path]
    assert len(read_video(path).frames) == 3 and len(read_video(tmp_path / path).frames) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="skipped: there is no /dev/full here")
def test_a_full_disk_is_named(monkeypatch):
    stream = Mp4Stream("/dev/full", 32, 48, 12.0)
    with pytest.raises(WriteError, match="cannot write /dev/full: No space left on device; check the room"):
        for frame in noise(400, 32, 48):
            stream.write(frame)
        stream.close()


def test_a_stream_can_have_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stream = Mp4Stream("a:b.mp4", 32, 48, 12.0)
    stream.write(numbered_frames(1)[0])
    stream.close()
    assert len(read_video("a:b.mp4").frames) == 1


# --- real and odd files

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
