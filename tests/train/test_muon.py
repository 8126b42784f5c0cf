"""Muon against its formula, and AdamW inside of it against torch's."""

import copy

import pytest
import tiny
import torch
from torch import nn

from framecast.model.layers import FusedLinear
from framecast.train import AdamWConfig, MuonConfig
from framecast.train.muon import orthogonal, row_factors

RECIPE = AdamWConfig(learning_rate=0.01)


def matrices(*shapes: tuple[int, int]) -> list[torch.Tensor]:
    return [torch.randn(shape, generator=tiny.rng(place)) for place, shape in enumerate(shapes)]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(5, 8), FusedLinear(8, (8, 16)), nn.Linear(24, 4, bias=False), nn.LayerNorm(4))


def learn(net: nn.Sequential, optimizer: torch.optim.Optimizer, steps: int = 1, seed: int = 0) -> None:
    generator = tiny.rng(seed)
    for _ in range(steps):
        net(torch.randint(5, (16,), generator=generator)).pow(3).mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def muon(net: nn.Sequential, **changes) -> torch.optim.Optimizer:
    return MuonConfig(**changes).optimizer([net[1]], net, RECIPE)


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24), (5, 3)])
def test_singular_values_come_near_one_and_vectors_stay(shape):
    (matrix,) = matrices(shape)
    (found,) = orthogonal([matrix])
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ found @ right.T
    assert (turned.diag() > 0.6).all()
    assert (turned.diag() < 1.3).all()
    assert (turned - turned.diag().diag()).abs().max() < 0.05


def test_matrices_are_made_orthogonal_apart_from_each_other():
    several = matrices((8, 8), (24, 8), (8, 24), (8, 8))
    for found, alone in zip(orthogonal(several), several, strict=True):
        torch.testing.assert_close(found, orthogonal([alone])[0], atol=0.02, rtol=0)


def test_a_step_is_decay_and_the_orthogonal_momentum():
    net = network()
    fused = net[1].weight.detach().clone()
    optimizer = muon(net, learning_rate=0.1, weight_decay=0.5, momentum_warmup_steps=0, momentum=0.9)
    net(torch.arange(5)).pow(3).mean().backward()
    grad = net[1].weight.grad.clone()
    optimizer.step()
    nesterov = grad * (1 - 0.9) + 0.9 * (0.1 * grad)  # the mean of gradients is a tenth of the first one
    for own, part, share in zip(fused.split((8, 16)), nesterov.split((8, 16)), (1, 2**0.5), strict=True):
        expected = own * (1 - 0.1 * 0.5) - 0.1 * share * orthogonal([part])[0]
        rows = slice(0, 8) if share == 1 else slice(8, 24)
        torch.testing.assert_close(net[1].weight[rows], expected, atol=2e-3, rtol=0)


def test_all_else_moves_as_with_adamw():
    nets = [network(), network()]
    optimizers = [muon(nets[0], learning_rate=1e-12), RECIPE.optimizer(nets[1])]
    nets[1][1].weight.requires_grad_(False)
    for net, optimizer in zip(nets, optimizers, strict=True):
        learn(net, optimizer, steps=3)
    for own, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(own, other, atol=1e-6, rtol=0)


def test_a_step_after_loading_is_the_same_step():
    net = network()
    optimizer = muon(net, row_scaling=True)
    learn(net, optimizer, steps=2)
    other = network()
    other.load_state_dict(net.state_dict())
    resumed = muon(other, row_scaling=True)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    learn(net, optimizer, steps=2, seed=1)
    learn(other, resumed, steps=2, seed=1)
    assert all(torch.equal(*pair) for pair in zip(net.parameters(), other.parameters(), strict=True))


def test_rows_become_equally_long_and_the_step_stays_as_long():
    (move,) = matrices((6, 4))
    move[2] *= 10
    squares = torch.zeros(6, 1)
    scaled = move * row_factors(move, squares, 0)
    torch.testing.assert_close(scaled.norm(), move.norm())
    torch.testing.assert_close(scaled.norm(dim=1), scaled.norm(dim=1).mean().expand(6))
    later = move * row_factors(move.flip(0), squares, 1)  # by the mean of both steps
    assert later.norm(dim=1).std() > 0.1
    assert row_factors(torch.zeros(6, 4), torch.zeros(6, 1), 0).isfinite().all()


def test_the_momentum_rises():
    config = MuonConfig(momentum=0.95, momentum_warmup_steps=10)
    assert [config.momentum_at(step) for step in (0, 5, 10, 99)] == pytest.approx([0.85, 0.9, 0.95, 0.95])
    assert MuonConfig(momentum=0.6).momentum_at(0) == 0.6


def test_muon_moves_the_maps_of_the_layers_and_nothing_else():
    lm = tiny.video_lm(value_embeddings=True)
    optimizer = MuonConfig().optimizer(lm.hidden_layers, lm, RECIPE)
    moved = {id(p) for p in optimizer.param_groups[0]["params"]}
    names = {name for name, p in lm.named_parameters() if id(p) in moved}
    assert "layers.0.attention.qkv.weight" in names
    assert "text_encoder.layers.0.mlp.down.weight" in names
    assert not [name for name in names if "layers." not in name or "table" in name or "gate" in name or "norm" in name]
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(lm.parameters()))


@pytest.mark.parametrize("wrong", [{"learning_rate": 0}, {"momentum": 1.0}, {"weight_decay": -1}])
def test_bad_settings_are_named(wrong):
    with pytest.raises(ValueError, match="wanted learning_rate > 0, 0 <= momentum < 1"):
        MuonConfig(**wrong)
