"""Parts of videos."""

import numpy as np
import pytest
import torch

from framecast.data import VideoData

FRAMES = torch.arange(9 * 2 * 2 * 3).reshape(9, 2, 2, 3).to(torch.uint8)
VIDEO = VideoData(FRAMES, 12.0, "the end")


@pytest.mark.parametrize("which", [slice(5), slice(-5, None), slice(2, 4), slice(None), slice(20), slice(5, 2)])
def test_a_slice_is_a_video_at_the_same_rate(which):
    part = VIDEO[which]
    assert isinstance(part, VideoData) and torch.equal(part.frames, FRAMES[which])
    assert (part.fps, part.damage, len(part)) == (12.0, "the end", len(FRAMES[which]))


def test_with_a_step_there_are_fewer_frames_a_second():
    part = VIDEO[::3]
    assert torch.equal(part.frames, FRAMES[::3]) and part.fps == 4.0


def test_a_number_gives_a_frame_and_so_does_a_loop():
    assert torch.equal(VIDEO[-1], FRAMES[8]) and torch.equal(VIDEO[np.int64(3)], FRAMES[3])
    assert len(VIDEO) == 9 and all(torch.equal(*pair) for pair in zip(VIDEO, FRAMES, strict=True))


@pytest.mark.parametrize(
    ("which", "error", "message"),
    [
        (slice(None, None, -1), ValueError, "got a slice with step -1; wanted at least 1"),
        (slice(None, None, 0), ValueError, "step 0"),
        (9, IndexError, "frame 9 of a video with 9"),
        (-10, IndexError, "frame -10"),
        ("first", TypeError, r"got 'first' as an index; wanted a whole number or a slice, such as video\[:17\]"),
    ],
)
def test_what_is_no_part_is_refused(which, error, message):
    with pytest.raises(error, match=message):
        VIDEO[which]
