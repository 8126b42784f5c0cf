"""Frames turned and mirrored, as their file wants it."""

from pathlib import Path

import av
import numpy as np
import pytest

from framecast.data import probe_video, read_video
from framecast.data.video.orientation import Orientation


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


MATRICES = {
    "as it is": ((1, 0, 0, 1), lambda picture: picture),
    "mirrored": ((-1, 0, 0, 1), lambda picture: picture[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda picture: picture[::-1]),
    "turned by 180": ((-1, 0, 0, -1), lambda picture: picture[::-1, ::-1]),
    "turned right": ((0, 1, -1, 0), lambda picture: np.rot90(picture, -1)),
    "turned left": ((0, -1, 1, 0), lambda picture: np.rot90(picture)),
    "rows to columns": ((0, 1, 1, 0), lambda picture: picture.swapaxes(0, 1)),
    "the other diagonal": ((0, -1, -1, 0), lambda picture: picture.swapaxes(0, 1)[::-1, ::-1]),
}


def quarters(height: int = 32, width: int = 48) -> np.ndarray:
    """A picture of four different quarters."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (220, 40, 40)
    picture[: height // 2, width // 2 :] = (40, 220, 40)
    picture[height // 2 :, : width // 2] = (40, 40, 220)
    return picture


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_display_matrices_turn_and_mirror(tmp_path, name, suffix):
    (a, b, c, d), show = MATRICES[name]
    path = tmp_path / f"phone{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "4"})
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        one = 1 << 16
        stream.set_display_matrix((a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30))
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(quarters(), format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    wanted = show(quarters())
    found = read_video(path).frames[0].numpy()
    assert found.shape == wanted.shape and np.abs(found.astype(int) - wanted).mean() < 6
    info = probe_video(path)
    assert (info.height, info.width) == wanted.shape[:2]
    assert read_video(path, size=(10, 12)).frames.shape == (2, 10, 12, 3)


def test_crooked_and_empty_matrices_are_rounded():
    def nearest(a: int, b: int, c: int, d: int) -> Orientation:
        return Orientation.of_matrix(np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32).tobytes())

    assert nearest(0, 0, 0, 0) == nearest(60000, 20000, -20000, 60000) == Orientation()
    assert nearest(-60000, 9, 9, 60000) == Orientation(mirrored=True)
    assert nearest(-(2**31), 0, 0, -(2**31)) == Orientation(flipped=True, mirrored=True)
