import json

import pytest
import torch

from framecast.data import Caption, CaptionedClip, ClipSource, RandomCrops, SpriteWorld, to_frames, to_video

FRAMES = torch.arange(2 * 4 * 5 * 3, dtype=torch.uint8).reshape(2, 4, 5, 3)


def test_to_frames_undoes_to_video_for_every_level():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 4, 8, 8, 1).expand(2, 4, 8, 8, 3)
    video = to_video(levels)
    assert video.shape == (2, 3, 4, 8, 8) and video.dtype == torch.float32
    assert (video.min(), video.max()) == (-1, 1)
    assert torch.equal(to_frames(video), levels)


def test_to_video_keeps_each_pixel_in_its_place():
    assert to_video(FRAMES)[2, 1, 3, 4] == FRAMES[1, 3, 4, 2] / 127.5 - 1


def test_to_frames_clamps_and_rounds():
    video = torch.tensor([-3.0, -1.0, 0.0, 0.9999, 3.0]).reshape(1, 1, 1, 5)
    assert to_frames(video).flatten().tolist() == [0, 0, 128, 255, 255]


def test_the_wrong_kind_is_named():
    with pytest.raises(ValueError, match=r"frames are torch.float32 .*wanted uint8 .*`to_frames`"):
        to_video(FRAMES.float())
    with pytest.raises(ValueError, match=r"video is torch.uint8 .*wanted float .*`to_video`"):
        to_frames(FRAMES)


def test_a_clip_has_a_row_of_actions_for_each_frame():
    captions = (Caption(0, ""),)
    assert CaptionedClip(FRAMES, captions, 8, "a").actions is None
    assert CaptionedClip(FRAMES, captions, 8, "a", actions=torch.zeros(2, 3)).actions.shape == (2, 3)
    for wrong in (torch.zeros(3, 3), torch.zeros(2), torch.zeros(2, 3, dtype=torch.float64)):
        with pytest.raises(ValueError, match=r"actions of 'a' are .*; wanted float32 \[2, A\], a row a frame"):
            CaptionedClip(FRAMES, captions, 8, "a", actions=wrong)


def test_a_clip_has_a_reward_and_an_end_for_each_frame():
    captions = (Caption(0, ""),)
    clip = CaptionedClip(FRAMES, captions, 8, "a", rewards=torch.zeros(2), ends=torch.zeros(2, dtype=torch.bool))
    assert clip.rewards.shape == clip.ends.shape == (2,)
    with pytest.raises(ValueError, match=r"rewards of 'a' are torch.float32 \[3\]; wanted torch.float32 \[2\], one a frame"):
        CaptionedClip(FRAMES, captions, 8, "a", rewards=torch.zeros(3))
    with pytest.raises(ValueError, match=r"ends of 'a' are torch.float32 \[2\]; wanted torch.bool \[2\], one a frame"):
        CaptionedClip(FRAMES, captions, 8, "a", ends=torch.zeros(2))


def test_a_caption_starts_at_0_or_later():
    with pytest.raises(ValueError, match="caption starts at frame -1; frames count from 0"):
        Caption(-1, "a red circle falls")


@pytest.mark.parametrize("starts", [(), (1,), (0, 5, 5), (0, 5, 3)])
def test_captions_of_a_clip_begin_at_0_and_increase(starts):
    with pytest.raises(ValueError, match="they must begin at 0 and increase"):
        CaptionedClip(FRAMES, tuple(Caption(start, "") for start in starts), 12.0, "clip")


def test_frames_of_a_clip_are_uint8_pixels():
    with pytest.raises(ValueError, match=r"clip frames are torch.float32 .*wanted uint8 \[T, H, W, 3\]"):
        CaptionedClip(FRAMES.float(), (Caption(0, ""),), 12.0, "clip")


def test_a_clip_source_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        ClipSource()


class Plain(ClipSource):
    num_frames, height, width, fps = 5, 32, 32, 12.0

    def __init__(self, **settings: object):
        vars(self).update(settings)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> CaptionedClip:
        raise NotImplementedError


def test_a_fingerprint_is_the_settings_in_plain_values():
    source = RandomCrops(SpriteWorld(num_clips=4, num_frames=5, shapes=("ring", "circle")), size=32, copies=2)
    found = source.fingerprint()
    assert json.loads(json.dumps(found)) == found
    assert (found["class"], found["num_clips"], found["copies"]) == ("RandomCrops", 8, 2)
    assert (found["source"]["class"], found["source"]["shapes"]) == ("SpriteWorld", ["ring", "circle"])
    other = RandomCrops(SpriteWorld(num_clips=4, num_frames=5, shapes=("ring", "circle"), seed=1), size=32, copies=2)
    assert other.fingerprint() != found
    assert Plain(names={"a": (1, 2)}, _cache=object()).fingerprint() == {"class": "Plain", "num_clips": 3, "names": {"a": [1, 2]}}
    with pytest.raises(ValueError, match="got a setting `it` of type object; wanted plain values"):
        Plain(it=object()).fingerprint()
