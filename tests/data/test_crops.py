"""RandomCrops: what a crop is, and that it repeats."""

import pytest
import torch

from framecast.data import RandomCrops, SpriteWorld
from framecast.data.clips import CaptionedClip, ClipSource

WORLD = SpriteWorld(num_clips=3, num_frames=5, size=40)


def test_each_clip_gives_crops_that_repeat_and_differ():
    crops = RandomCrops(WORLD, size=32, copies=4)
    assert len(crops) == 12 and (crops.num_frames, crops.height, crops.width, crops.fps) == (5, 32, 32, WORLD.fps)
    for index in (0, 4, 11, -1):
        clip, again = crops[index], RandomCrops(WORLD, size=32, copies=4)[index]
        assert torch.equal(clip.frames, again.frames) and clip.name == again.name
        assert clip.frames.shape == (5, 32, 32, 3) and clip.captions == WORLD[index % 12 // 4].captions and clip.scene is None
    copies = [crops[index].frames for index in range(4)]
    assert not any(torch.equal(copies[0], other) for other in copies[1:])
    assert not torch.equal(crops[0].frames, RandomCrops(WORLD, size=32, copies=4, seed=1)[0].frames)
    assert len({crops[index].name for index in range(12)}) == 12
    with pytest.raises(IndexError, match="clip 12 of 12 crops"):
        crops[12]


class Ramps(ClipSource):
    """One clip in which red tells the column, green the row and blue the frame."""

    num_frames, height, width, fps = 3, 20, 24, 12.0

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> CaptionedClip:
        frames = torch.zeros(3, 20, 24, 3, dtype=torch.uint8)
        frames[..., 0] = torch.arange(24) * 10
        frames[..., 1] = torch.arange(20)[:, None] * 10
        frames[..., 2] = torch.arange(3)[:, None, None]
        return CaptionedClip(frames, WORLD[0].captions, 12.0, "ramps")


def test_a_crop_is_one_square_of_the_clip_in_all_frames():
    crops = RandomCrops(Ramps(), size=16, copies=40, mirror=True)
    mirrored = 0
    for clip in crops:
        columns, rows, times = clip.frames.float().unbind(-1)
        assert torch.equal(times, torch.arange(3.0)[:, None, None].expand_as(times))
        assert torch.equal(columns[0], columns[2]) and torch.equal(rows[0], rows[2])
        across, down = columns[0, 0, 2:-2].diff(), rows[0, 2:-2, 0].diff()
        mirrored += bool((across < 0).all())
        assert (across < 0).all() or (across > 0).all()
        assert 10 <= down.mean() <= 20 / 16 * 10 + 0.5 and (across.abs().mean() - down.mean()).abs() < 0.2
    assert 5 < mirrored < 35


def test_crops_larger_than_the_clips_are_refused():
    with pytest.raises(ValueError, match=r"got clips of 40 x 40 to crop 64 x 64 from; .* raise the `size` of the source"):
        RandomCrops(WORLD)
    with pytest.raises(ValueError, match="got size 32, copies 0, seed 0"):
        RandomCrops(WORLD, size=32, copies=0)
