"""What a reward may give, and what the rewards that come with the package say of true and of wrong clips."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.train import LikenessReward, MadeClips, Reward, RewardError, SceneReward, WeightedReward
from framecast.train.rewards import judged


class Given(Reward):
    """Gives what it is told to."""

    def __init__(self, values: object):
        self.values = values

    def judge(self, clips: MadeClips) -> Tensor:
        if isinstance(self.values, Exception):
            raise self.values
        return self.values


@pytest.fixture(scope="module")
def clips() -> MadeClips:
    world = SpriteWorld(num_clips=8, num_frames=33, seed=5)
    sources = tuple(world[place] for place in range(6))
    return MadeClips(torch.stack([source.frames for source in sources]), sources)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ValueError("no sprite\nhere"),
            r"the reward Given raised ValueError: no sprite here; wanted a number for each of 6 clips",
        ),
        (torch.zeros(5), r"the reward Given gave a tensor of shape \[5\]; wanted a tensor of shape \[6\]"),
        ([0.0] * 6, r"the reward Given gave list; wanted a tensor"),
        (torch.tensor([0, 0, torch.nan, 0, torch.inf, 0]), r"gave nan for clip 2 \('.*'\) and 1 more; wanted finite numbers"),
    ],
)
def test_a_reward_that_gives_nothing_to_learn_from_is_named(values, message, clips):
    with pytest.raises(RewardError, match=message):
        judged(Given(values), clips)
    with pytest.raises(RewardError, match=message):  # inside of another one, too
        judged(WeightedReward([Given(values)], [1.0]), clips)


def test_rewards_know_nothing_of_gradients_and_autocast(clips):
    with torch.autocast("cpu", torch.bfloat16):
        values = judged(Given(torch.ones(6, dtype=torch.float64, requires_grad=True)), clips)
    assert values.dtype == torch.float32
    assert not values.requires_grad


def test_a_weighted_sum(clips):
    parts = [Given(torch.arange(6.0)), Given(torch.ones(6))]
    assert judged(WeightedReward(parts, [2.0, -0.5]), clips).tolist() == [-0.5, 1.5, 3.5, 5.5, 7.5, 9.5]
    with pytest.raises(ValueError, match="got 2 rewards and 1 weights"):
        WeightedReward(parts, [1.0])


def test_true_clips_are_worth_most_and_every_error_costs(clips):
    reward = SceneReward()
    true = judged(reward, clips)
    assert (true > 0.9).all(), true
    assert (judged(reward, replace(clips, frames=torch.full_like(clips.frames, 40))) < 0.1).all()  # nothing is there
    still = judged(reward, replace(clips, frames=clips.frames[:, :1].expand_as(clips.frames)))
    moving = torch.tensor(["stands still" not in prompt for prompt in clips.prompts])
    assert (still < true - 0.2)[moving].all()
    assert (still > 0.3)[moving].any()  # what else is right still counts


def test_of_a_graded_reward_the_share_of_the_whole_is_chosen(clips):
    still = replace(clips, frames=clips.frames[:, :1].expand_as(clips.frames))
    graded, strict = judged(SceneReward(whole=0.0), still), judged(SceneReward(whole=1.0), still)
    assert set(strict.tolist()) <= {0.0, 1.0}
    assert ((0 < graded) & (graded < 1)).any()
    with pytest.raises(ValueError, match="got whole 2; wanted a share"):
        SceneReward(whole=2)


def test_likeness_counts_what_was_made(clips):
    made = clips.frames.clone()
    made[:, :5] = 0  # given, and so not looked at
    made[:, 9:] = 0
    changed = replace(clips, frames=made, given=5)
    assert (judged(LikenessReward(frames=4), changed) == 50).all()
    assert (judged(LikenessReward(), changed) < 30).all()
    error = (made[:, 5:].double() - clips.frames[:, 5:]).square().flatten(1).mean(dim=1)
    torch.testing.assert_close(judged(LikenessReward(), changed).double(), 10 * torch.log10(255**2 / error), rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match="got frames 0; wanted at least 1"):
        LikenessReward(frames=0)
