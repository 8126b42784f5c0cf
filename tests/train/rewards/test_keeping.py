"""Rewards for what has to stay as it was, on true clips and on spoilt ones."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.train import IdentityReward, MadeClips, PersistenceReward
from framecast.train.rewards import RewardError, judged


def clips_of(*motions: str, two_objects: float = 0.0) -> MadeClips:
    """Four clips that begin with the first of the motions."""
    source = SpriteWorld(num_clips=40, num_frames=49, seed=3, motions=motions, two_objects=two_objects)
    sources = tuple(islice((clip for clip in map(source.__getitem__, range(40)) if motions[0] in clip.captions[0].text), 4))
    return MadeClips(torch.stack([one.frames for one in sources]), sources)


def spoilt(clips: MadeClips, change) -> MadeClips:
    return replace(clips, frames=torch.stack([change(clip.clone()) for clip in clips.frames]))


def vanishing(clip: Tensor) -> Tensor:
    clip[24:] = clip[0, 0, 0]
    return clip


def recoloured(clip: Tensor) -> Tensor:
    clip[24:] = clip[24:].roll(1, dims=3)
    return clip


def test_what_passes_behind_a_bar_is_worth_most_if_it_comes_out_as_it_was():
    clips = clips_of("passes behind a bar", "stands still")
    reward = PersistenceReward()
    assert judged(reward, clips).mean() >= 0.75
    lost, changed = (judged(reward, spoilt(clips, change)) for change in (vanishing, recoloured))
    assert (lost < 0.5).all()
    assert (lost <= changed).all()
    assert (changed < 1).all()


def test_a_prompt_without_a_bar_is_worth_nothing():
    clips = clips_of("moves left")
    assert judged(PersistenceReward(), clips).tolist() == [0.0] * 4


def test_looks_count_window_by_window():
    clips = clips_of("moves left", "moves right", two_objects=0.5)
    reward = IdentityReward()
    true = judged(reward, clips)
    assert (true > 0.95).all()
    for change in (vanishing, recoloured):  # half of the second window of three, and the third
        assert judged(reward, spoilt(clips, change)).mean() < 0.65


def test_a_window_longer_than_the_clip_is_named():
    clips = clips_of("moves left")
    with pytest.raises(RewardError, match="got clips of 49 frames and a window of 64; wanted a shorter window or longer clips"):
        judged(IdentityReward(window=64), clips)
    with pytest.raises(ValueError, match="got a window of 3 frames; wanted at least 4"):
        IdentityReward(window=3)
