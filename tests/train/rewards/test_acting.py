"""Clips that show what was done are worth more than those that show something else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from played_worlds import HEIGHT, SPACE, WIDTH, policy, view

from framecast.data import Caption, CaptionedClip, ClipSource
from framecast.train import ActionReward, MadeClips
from framecast.train.rewards import RewardError, judged

FRAMES = 33


class Rings(ClipSource):
    """Rings that are turned by keys."""

    num_frames, height, width, fps, action_space = FRAMES, HEIGHT, WIDTH, 12.0, SPACE

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> CaptionedClip:
        rows = policy(FRAMES, index)
        return CaptionedClip(view(index, rows), (Caption(0, ""),), 12.0, str(index), actions=torch.from_numpy(rows))


@pytest.fixture(scope="module")
def reward() -> ActionReward:
    return ActionReward(Rings(), steps=80)


@pytest.fixture(scope="module")
def clips() -> MadeClips:
    sources = tuple(
        CaptionedClip(view(50 + at, rows), (Caption(0, ""),), 12.0, str(at), actions=torch.from_numpy(rows))
        for at, rows in enumerate(policy(FRAMES, 50 + at) for at in range(4))
    )
    return MadeClips(torch.stack([source.frames for source in sources]), sources)


def test_what_was_truly_done_is_worth_most(reward, clips):
    true = judged(reward, clips)
    assert (true > -0.5).all()
    mirrored = [view(50 + at, np.nan_to_num(source.actions.numpy())[:, ::-1]) for at, source in enumerate(clips.sources)]
    wrong = judged(reward, replace(clips, frames=torch.stack(mirrored)))
    still = judged(reward, replace(clips, frames=clips.frames[:, :1].expand_as(clips.frames).contiguous()))
    assert (wrong < true - 0.5).all()
    assert (still < true - 0.2).all()


def test_given_frames_do_not_count(reward, clips):
    spoilt = clips.frames.clone()
    spoilt[:, :10] = clips.frames[:, :1]  # nothing moves in the frames that were given
    assert (judged(reward, replace(clips, frames=spoilt)) < judged(reward, clips) - 0.05).all()
    given = judged(reward, replace(clips, frames=spoilt, given=14))
    assert torch.equal(given, judged(reward, replace(clips, given=14)))


def test_clips_without_actions_are_named(reward, clips):
    silent = replace(clips, sources=tuple(replace(source, actions=None) for source in clips.sources))
    with pytest.raises(RewardError, match="got clips of which nobody knows what was done; wanted a source with actions"):
        judged(reward, silent)
    with pytest.raises(RewardError, match="got clips of 33 frames, 32 of them given; wanted 6 more than given"):
        judged(reward, replace(clips, given=32))
    rings = Rings()
    rings.action_space = None
    with pytest.raises(ValueError, match="got a source without actions"):
        ActionReward(rings)
