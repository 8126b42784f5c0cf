"""The losses, against loops and by hand."""

import pytest
import torch

from framecast.train import ReconstructionLoss
from framecast.train.losses import adaptive_weight, structure_error


def test_the_reconstruction_loss_is_the_sum_it_says():
    target = torch.rand(2, 3, 5, 16, 16) * 2 - 1
    loss = ReconstructionLoss(l1=1, l2=2, structure=0.5)
    assert loss(target, target).item() == 0
    assert loss(target + 0.1, target).item() == pytest.approx(0.1 + 2 * 0.01, rel=1e-4)  # an even shift has no edges
    error = torch.rand(2, 3, 5, 16, 16)
    expected = error.abs().mean() + 2 * error.square().mean() + 0.5 * structure_error(error)
    torch.testing.assert_close(loss(target + error, target), expected, rtol=1e-4, atol=0)
    assert ReconstructionLoss(l1=0, l2=0, structure=0)(target + error, target).item() == 0
    assert loss(target + error, target) > ReconstructionLoss(l1=1, l2=2, structure=0)(target + error, target)


def test_structure_error_is_what_a_loop_gives():
    error = torch.randn(1, 2, 3, 8, 8)
    half = error.reshape(1, 2, 3, 4, 2, 4, 2).mean(dim=(4, 6))
    steps = [(x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean() for x in (error, half)]
    over_time = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() / 2
    torch.testing.assert_close(structure_error(error, num_scales=2), sum(steps) / 4 + over_time)


def test_one_picture_is_a_legal_clip_for_the_loss():
    video = torch.rand(1, 3, 1, 8, 8)
    assert ReconstructionLoss()(video, video - 0.5).isfinite()


def test_the_adaptive_weight_balances_both_pulls():
    layer = torch.nn.Parameter(torch.ones(4))
    weight = adaptive_weight((3 * layer).sum(), (0.5 * layer).sum(), layer)
    assert weight.item() == pytest.approx(6, rel=1e-3)
