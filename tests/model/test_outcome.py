"""The heads of a world: what is unknown is left out of their loss, and rewards of any size are read back."""

import pytest
import tiny
import torch

from framecast.model.outcome import OutcomeHeads, symexp, symlog


def test_symlog_and_its_inverse():
    x = torch.tensor([-1000.0, -1.0, 0.0, 0.01, 5.0, 1e5])
    torch.testing.assert_close(symexp(symlog(x)), x, rtol=1e-4, atol=1e-6)
    assert symlog(torch.tensor([0.0, torch.e - 1])).tolist() == pytest.approx([0, 1])


def test_the_heads_learn_rewards_and_ends():
    torch.manual_seed(0)
    heads, hidden = OutcomeHeads(8, rewards=True, ends=True), torch.randn(1, 6, 8)
    rewards = torch.tensor([[0.0, 1.0, -3.0, 40.0, torch.nan, 0.5]])
    ends = torch.tensor([[0.0, 1.0, 0.0, torch.nan, 0.0, 1.0]])
    start = heads(hidden[0])
    assert start.reward.eq(0).all() and start.end.eq(0.5).all()
    optimizer = torch.optim.Adam(heads.parameters(), lr=0.1)
    for _ in range(200):
        losses = heads.loss(hidden, rewards, ends)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert set(losses) == {"reward", "end"}
    outcome = heads(hidden[0])
    known = ~rewards[0].isnan()
    torch.testing.assert_close(outcome.reward[known], rewards[0][known], rtol=0.1, atol=0.1)
    assert outcome.end.gt(0.5).tolist() == [False, True, False, bool(outcome.end[3] > 0.5), False, True]


def test_what_is_unknown_has_no_loss():
    heads, hidden = OutcomeHeads(8, rewards=True, ends=True), torch.randn(2, 3, 8)
    unknown = torch.full((2, 3), torch.nan)
    assert heads.loss(hidden, unknown, None) == {} == heads.loss(hidden, None, unknown)
    assert set(heads.loss(hidden, unknown, torch.zeros(2, 3))) == {"end"}
    assert set(OutcomeHeads(8, rewards=True, ends=False).loss(hidden, torch.ones(2, 3), torch.ones(2, 3))) == {"reward"}


def test_a_video_lm_has_the_heads_that_it_was_asked_for():
    lm = tiny.video_lm(rewards=True)
    outcome = lm.outcome(torch.randn(4, 32, generator=tiny.rng()))
    assert outcome.reward.shape == (4,) and outcome.end is None
    both = tiny.video_lm(rewards=True, ends=True).outcome(torch.randn(4, 32, generator=tiny.rng()))
    assert both.end.shape == (4,) and both.end.ge(0).all() and both.end.le(1).all()
    with pytest.raises(ValueError, match=r"predicts neither rewards nor ends; wanted one that was trained with `lm\.rewards`"):
        tiny.video_lm().outcome(torch.zeros(1, 32))
