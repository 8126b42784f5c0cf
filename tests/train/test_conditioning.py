"""The disturbed inputs: corruption, dropped prompts, gaps."""

from dataclasses import replace

import tiny
import torch
from lm_trainings import EOS, PAD

from framecast.train.conditioning import Example, corrupt, cut_gap, draw_gap, drop_actions, drop_prompts


def test_corruption_has_the_stated_share_and_grows_over_frames():
    inputs = torch.full((4000, 4 * 6), 1000)  # the start's id: no random token is it
    torch.manual_seed(0)
    changed = corrupt(inputs, 4, 1000, 0.2) != inputs
    shares = changed.unflatten(1, (4, 6))[:, :, 1:].float().mean(dim=(0, 2))
    torch.testing.assert_close(shares, 0.1 * torch.tensor([0.25, 0.5, 0.75, 1.0]), atol=0.005, rtol=0)
    by_clip = changed[:, 18:].float().mean(dim=1)
    assert by_clip.var() > 0.1 * 0.9 / 6 + 0.0015  # the share is drawn by clip: more spread than one share would give
    assert not changed[:, 0].any()
    assert torch.equal(corrupt(inputs, 4, 1000, 0.0), inputs)


def test_dropped_prompts_are_null():
    ids = torch.randint(3, 9, (2000, 2, 5), generator=tiny.rng())
    torch.manual_seed(0)
    dropped = drop_prompts(ids, 0.1, EOS, PAD)
    same = (dropped == ids).flatten(1).all(dim=1)
    null = (dropped == torch.tensor([EOS, PAD, PAD, PAD, PAD])).flatten(1).all(dim=1)
    assert (same ^ null).all()  # whole clips
    assert abs(float(null.float().mean()) - 0.1) < 0.03
    assert torch.equal(drop_prompts(ids, 0.0, EOS, PAD), ids)


def test_dropped_actions_are_unknown():
    actions = torch.rand(2000, 3, 2, 4, generator=tiny.rng())
    torch.manual_seed(0)
    dropped = drop_actions(actions, 0.1)
    same = (dropped == actions).flatten(1).all(dim=1)
    unknown = dropped.isnan().flatten(1).all(dim=1)
    assert (same ^ unknown).all()  # whole clips
    assert abs(float(unknown.float().mean()) - 0.1) < 0.03
    assert torch.equal(drop_actions(actions, 0.0), actions)


def example(num_frames: int, starts: list[int]) -> Example:
    """Targets name their frame; inputs are 100 higher."""
    frames = torch.arange(num_frames).repeat_interleave(3)[None]
    return Example(100 + frames, frames, torch.zeros(1, len(starts), 1), torch.tensor([starts]), num_frames)


def test_a_gap_cuts_inputs_targets_and_starts_alike():
    cut = cut_gap(example(7, [0, 1, 2, 3, 4, 5, 7]), sink_frames=2, gap=2)
    kept = [0, 1, 4, 5, 6]
    assert cut.targets[0].tolist() == [frame for frame in kept for _ in range(3)]
    assert torch.equal(cut.inputs, cut.targets + 100)
    assert cut.num_frames == 5
    prompts_of_frames = [max(i for i, start in enumerate(cut.starts[0].tolist()) if start <= frame) for frame in range(5)]
    assert prompts_of_frames == [0, 1, 4, 5, 5]  # what held in the frames that are kept
    assert cut.starts[0, -1] == 5  # never, as before
    whole = example(7, [0, 3])
    same = cut_gap(whole, 2, 0)
    assert all(torch.equal(getattr(same, name), getattr(whole, name)) for name in ("inputs", "targets", "starts"))


def test_the_frame_behind_a_gap_is_not_scored():
    whole = example(7, [0])
    length = whole.targets.shape[1] // 7
    cut = cut_gap(whole, sink_frames=2, gap=3)
    scored = torch.ones(cut.targets.shape[1], dtype=torch.bool)
    scored[slice(*cut.unscored)] = False
    assert (~scored).nonzero().flatten().tolist() == list(range(2 * length, 3 * length))
    assert cut_gap(whole, 2, 0).unscored == (0, 0)


def test_a_gap_cuts_actions_rewards_and_ends_alike():
    frames = torch.arange(7.0)[None]
    known = {"actions": frames[..., None, None].expand(-1, -1, 2, 3), "rewards": frames, "ends": (frames == 6).float()}
    whole = replace(example(7, [0]), **known)
    cut = cut_gap(whole, sink_frames=2, gap=2)
    assert cut.actions[0, :, 1, 2].tolist() == [0, 1, 4, 5, 6] == cut.targets[0, ::3].tolist()
    assert cut.rewards[0].isnan().tolist() == [False, False, True, False, False]  # as the frame is not scored
    assert cut.rewards[0, 3:].tolist() == [5, 6] and cut.ends[0, 3:].tolist() == [0, 1]
    same = cut_gap(whole, 2, 0)
    assert all(torch.equal(getattr(same, name), value) for name, value in known.items())
    assert cut_gap(example(7, [0]), 2, 2).actions is None


def test_gaps_are_drawn_as_stated():
    torch.manual_seed(0)
    gaps = [draw_gap(6, 1, 0.5) for _ in range(2000)]
    assert set(gaps) == {0, 1, 2, 3, 4}
    assert abs(gaps.count(0) / 2000 - 0.5) < 0.05
    assert {draw_gap(6, 0, 1.0), draw_gap(2, 1, 1.0), draw_gap(6, 1, 0.0)} == {0}
