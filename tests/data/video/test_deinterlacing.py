"""Interlaced frames are made whole."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from framecast.data import read_video


def interlaced(path: Path, codec: str, flagged: bool, num_frames: int = 40) -> Path:
    """A bright bar on grey that moves by 4 columns from field to field, two fields woven into each frame."""
    flags = {"flags": "+ildct+ilme", "g": "12"} if flagged else {"g": "12"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={**flags, "qmin": "1", "qmax": "2"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for index in range(num_frames):
            rows = np.full((2, 64, 96, 3), 60, np.uint8)
            for field in range(2):
                left = 4 * (2 * index + field) % 80
                rows[field, :, left : left + 16] = 220
            woven = rows[0]
            woven[1::2] = rows[1, 1::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def combing(frames: torch.Tensor) -> float:
    """How much rows differ from those beside them, beyond what differs two rows away."""
    rows = frames.float().mean(-1)
    return float((rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2).abs().mean())


@pytest.mark.parametrize("suffix", ["mpg", "ts", "mkv"])
def test_interlaced_frames_are_made_whole_one_for_one(tmp_path, suffix):
    path = interlaced(tmp_path / f"a.{suffix}", "mpeg2video", True)
    video = read_video(path)
    assert len(video.frames) == 40 and video.fps == 25 and video.damage is None
    assert combing(video.frames) < 2
    for skipped in (26, 36, 38):
        part = read_video(path, fps=25, start=skipped / 25, num_frames=2)
        assert torch.equal(part.frames, video.frames[skipped : skipped + 2]), skipped


def test_control_frames_that_are_not_marked_as_interlaced_stay(tmp_path):
    assert combing(read_video(interlaced(tmp_path / "a.mpg", "mpeg2video", False)).frames) > 8
