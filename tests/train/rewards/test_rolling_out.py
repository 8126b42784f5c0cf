"""Groups of clips: what they share, where they go apart, and that they are what anybody would sample."""

import tiny_bundle
import torch

from framecast.data import Caption, CaptionedClip
from framecast.sample import SamplingParams
from framecast.train.rewards.rolling_out import Plan, roll_out

PARAMS = SamplingParams(temperature=1.0, guidance_scale=1.0)
LENGTH = 4


def clips() -> tuple[list[CaptionedClip], torch.Tensor]:
    """Two true clips, the first of which changes its prompt, and their tokens."""
    captions = [(Caption(0, "a red circle moves right"), Caption(9, "a blue square moves up")), (Caption(0, "a ring falls"),)]
    made = [
        CaptionedClip(tiny_bundle.frames(13, seed), own, tiny_bundle.FPS, f"clip {seed}") for seed, own in enumerate(captions)
    ]
    return made, torch.stack([tiny_bundle.generator().encode(clip.frames) for clip in made])


def rolled(fork: int = 0, given: int = 0, seed: int = 0, length: int = LENGTH):
    torch.manual_seed(seed)
    return roll_out(tiny_bundle.generator(), *clips(), Plan(group_size=3, length=length, given=given, fork=fork, params=PARAMS))


def test_a_group_has_one_prompt_and_clips_of_its_own():
    rollout = rolled()
    assert rollout.tokens.shape == (6, LENGTH, *tiny_bundle.FRAME_SHAPE)
    assert rollout.made.frames.shape == (6, 13, tiny_bundle.HEIGHT, tiny_bundle.WIDTH, 3)
    assert rollout.made.prompts == ["a red circle moves right"] * 3 + ["a ring falls"] * 3
    assert len({tuple(tokens.flatten().tolist()) for tokens in rollout.tokens}) == 6


def test_clips_are_what_anybody_would_sample():
    rollout = rolled()
    torch.manual_seed(0)
    seeds = torch.randint(2**31, (2, 3)).tolist()
    prompts = ["a red circle moves right; at 0.75s a blue square moves up", "a ring falls"]
    for place, (tokens, frames) in enumerate(zip(rollout.tokens, rollout.made.frames, strict=True)):
        seed = seeds[place // 3][place % 3]
        clip = tiny_bundle.generator().generate(prompts[place // 3], 13, seed=seed, params=PARAMS)
        assert torch.equal(clip.tokens, tokens)
        assert torch.equal(clip.frames, frames)


def test_groups_that_fork_share_what_came_before():
    rollout = rolled(fork=2)
    groups = rollout.tokens.unflatten(0, (2, 3))
    assert (groups[:, :, :2] == groups[:, :1, :2]).all()
    assert not (groups[:, 0, 2:] == groups[:, 1, 2:]).all()
    frames = rollout.made.frames.unflatten(0, (2, 3))
    assert (frames[:, :, :5] == frames[:, :1, :5]).all()


def test_given_frames_are_those_of_the_true_clip():
    own, tokens = clips()
    for fork in (2, 3):
        rollout = rolled(fork=fork, given=2)
        assert rollout.made.given == 5
        assert (rollout.tokens[:, :2] == tokens[:, :2].repeat_interleave(3, dim=0)).all()
        decoded = tiny_bundle.generator().decode(tokens[0, :2])
        assert torch.equal(rollout.made.frames[0, :5], decoded)
        assert torch.equal(rollout.made.true[5], own[1].frames)


def test_clips_can_be_longer_than_the_true_ones():
    longer, short = rolled(length=LENGTH + 3), rolled()
    assert longer.tokens.shape[1] == LENGTH + 3
    assert longer.made.frames.shape[1] == 13 + 3 * 4
    assert torch.equal(longer.tokens[:, :LENGTH], short.tokens)
