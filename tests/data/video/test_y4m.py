"""Raw frames to a pipe."""

import torch

from framecast.data import read_video
from framecast.data.video import Y4MStream


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
