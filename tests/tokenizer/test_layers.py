"""The tokenizer's layers against formulas written out; that they stream and are causal is in test_laws.py."""

import pytest
import tiny
import torch
from torch import nn

from framecast.tokenizer.layers import Downsample, ResidualBlock, SpatialConv, Stage, TemporalMix, Upsample


def features(frames: int = 4, channels: int = 8) -> torch.Tensor:
    return torch.randn(2, frames, 4, 6, channels, generator=tiny.rng())


@pytest.mark.parametrize("reach", [0, 1, 2, 3])
@pytest.mark.parametrize("gradients", [False, True])
def test_temporal_mix_is_a_causal_convolution(reach, gradients):
    layer, x = tiny.randomise(TemporalMix(8, reach)), features()
    weight = layer.linear.weight.unflatten(1, (reach + 1, 8))
    with torch.set_grad_enabled(gradients):
        y = layer(x)
    for t in range(4):
        terms = [x[:, t - back] @ weight[:, reach - back].T for back in range(reach + 1) if back <= t]
        torch.testing.assert_close(y[:, t], sum(terms) + layer.linear.bias)


@torch.no_grad()
def test_temporal_state_is_the_last_frames():
    layer, x = TemporalMix(8), features()
    state = layer.init_state(2, 4, 6)
    for t, past in enumerate([[None, 0], [0, 1], [1, 2], [2, 3]]):
        layer(x[:, t : t + 1], state)
        expected = [torch.zeros_like(x[:, 0]) if i is None else x[:, i] for i in past]
        assert torch.equal(state.past, torch.stack(expected, dim=1))
    assert not [name for name in layer.state_dict() if "past" in name]


@torch.no_grad()
def test_untrained_residual_blocks_are_the_identity():
    x = features()
    assert torch.equal(ResidualBlock(8)(x), x)
    assert torch.equal(Stage(8, 2)(x), x)
    assert not torch.allclose(tiny.randomise(Stage(8, 2))(x), x)  # control


@torch.no_grad()
def test_spatial_conv_sees_one_frame_at_a_time():
    layer, x = tiny.randomise(SpatialConv(8, 5)), features()
    expected = torch.stack([layer.conv(x[:, t].movedim(-1, 1)).movedim(1, -1) for t in range(4)], dim=1)
    torch.testing.assert_close(layer(x), expected)


@torch.no_grad()
@pytest.mark.parametrize(("time", "space"), [(1, 1), (2, 1), (1, 2), (4, 2)])
def test_upsample_undoes_downsample(time, space):
    x, folded = features(), 8 * time * space * space
    down, up = Downsample(8, folded, time, space), Upsample(folded, 8, time, space)
    for layer in (down, up):
        nn.init.eye_(layer.linear.weight)
        nn.init.zeros_(layer.linear.bias)
    assert down(x).shape == (2, 4 // time, 4 // space, 6 // space, folded)
    assert torch.equal(up(down(x)), x)


@torch.no_grad()
def test_downsample_folds_squares_of_its_own_frames():
    x = torch.arange(2 * 4 * 4.0).reshape(1, 2, 4, 4, 1)
    layer = Downsample(1, 8, time=2, space=2)
    nn.init.eye_(layer.linear.weight)
    nn.init.zeros_(layer.linear.bias)
    assert layer(x)[0, 0, 0, 1].tolist() == [2, 3, 6, 7, 18, 19, 22, 23]


@torch.no_grad()
def test_layers_stream_in_bfloat16_too():
    layer, x = tiny.randomise(ResidualBlock(8)), features()
    state = layer.init_state(2, 4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        whole = layer(x)
        parts = torch.cat([layer(x[:, t : t + 1], state) for t in range(4)], dim=1)
    torch.testing.assert_close(parts, whole, atol=0.05, rtol=0.05)


def test_gradients_reach_every_parameter():
    layer, x = tiny.randomise(Stage(8, 2)), features().requires_grad_()
    layer(x).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in layer.parameters())
    assert x.grad.abs().sum() > 0
