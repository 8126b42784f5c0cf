"""Video files out: what each kind keeps, and every way a file cannot be written."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from grey_frames import noise, numbered_frames, numbers
from PIL import Image

from framecast.data import SpriteWorld, probe_video, read_video, write_video
from framecast.data.files import WriteError
from framecast.data.video import Mp4Stream
from framecast.data.video.encoding import WRITERS


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
