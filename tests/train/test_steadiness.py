"""Tokens that a camera's noise does not change: what is added, what is asked for, and what a training makes of it."""

import pytest
import tiny
import torch
from torch import Tensor
from trainings import NETWORK, fit, last

from framecast.evaluate.steadiness import steady_share
from framecast.tokenizer import FSQ, VQ, VideoTokenizer
from framecast.train.steadiness import Steadiness


def smooth(count: int) -> Tensor:
    """Videos `[count, 3, 5, 16, 16]` of soft waves that move."""
    phases = torch.rand(count, 3, 1, 1, 1, generator=tiny.rng()) * 6
    columns, frames = torch.arange(16.0).view(1, 1, 1, 1, 16), torch.arange(5.0).view(1, 1, 5, 1, 1)
    return (0.7 * torch.sin(columns / 3 + frames / 4 + phases)).expand(-1, -1, -1, 16, -1).contiguous()


def test_noise_differs_from_frame_to_frame_and_stays_below_its_strength():
    torch.manual_seed(0)
    noise = Steadiness(noise=8.0).through_noise(torch.zeros(400, 3, 5, 4, 4))
    spread = noise.flatten(1).std(dim=1) * 127.5
    assert spread.max() < 10 and spread.mean() == pytest.approx(4, abs=0.4)
    assert not torch.equal(noise[:, :, 0], noise[:, :, 1])
    assert Steadiness(noise=64.0).through_noise(torch.ones(2, 3, 5, 4, 4)).max() <= 1


def test_the_loss_counts_tokens_that_noise_has_changed_and_moves_the_encoder():
    torch.manual_seed(0)
    tokenizer, steady, video = VideoTokenizer(NETWORK, FSQ((8, 8, 8))), Steadiness(weight=1.0), smooth(4)
    assert steady.loss(tokenizer(video).quantized, tokenizer, video) == 0
    loss = steady.loss(tokenizer((video + 0.2 * torch.randn_like(video)).clamp(-1, 1)).quantized, tokenizer, video)
    assert loss > 0
    loss.backward()
    assert tokenizer.encoder.head.weight.grad.abs().sum() > 0


def test_a_codebook_learns_once_from_a_step():
    torch.manual_seed(0)
    tokenizer, video = VideoTokenizer(NETWORK, VQ(codebook_size=16, dim=4)).train(), smooth(4)
    quantized = tokenizer(video).quantized
    before = {name: value.clone() for name, value in tokenizer.state_dict().items()}
    Steadiness(weight=1.0).loss(quantized, tokenizer, video)
    assert all(torch.equal(before[name], value) for name, value in tokenizer.state_dict().items())
    assert tokenizer.quantizer.training


def trained(weight: float) -> float:
    """The steady share of a tokenizer after a short training on noisy waves."""
    torch.manual_seed(0)
    tokenizer, steady, video = VideoTokenizer(NETWORK, FSQ((8, 8, 8))), Steadiness(weight=weight, noise=16.0), smooth(16)
    optimizer = torch.optim.Adam(tokenizer.parameters(), 3e-3)
    for _ in range(120):
        output = tokenizer(steady.through_noise(video))
        loss = (output.video - video).square().mean() + weight * steady.loss(output.quantized, tokenizer, video)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return steady_share(tokenizer.eval(), video[:, :, 0], noise=16.0).mean().item()


def test_a_training_for_it_makes_tokens_steadier():
    assert trained(1.0) > trained(0.0) + 0.04


def test_a_run_with_it_is_another_one_and_logs_it(tmp_path):
    fit(tmp_path, "--model.init_args.steadiness.weight=1")
    fit(tmp_path / "other")
    assert not torch.equal(
        *(last(folder)["state_dict"]["tokenizer.encoder.head.weight"] for folder in (tmp_path, tmp_path / "other"))
    )


@pytest.mark.parametrize("wrong", [{"weight": -1.0}, {"noise": 0.0}, {"noise": 65.0}])
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match="wanted a weight of at least 0, and noise above 0 and up to 64 levels"):
        Steadiness(**wrong)
