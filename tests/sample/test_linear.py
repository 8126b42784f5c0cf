"""Packed linear layers compute what plain ones do, and notice when they must not be used."""

import copy

import pytest
import torch
from torch import nn

from framecast.sample.linear import PackedLinear, pack


def packed(bias: bool = True, dtype: torch.dtype = torch.float32) -> tuple[nn.Linear, PackedLinear]:
    plain = nn.Linear(96, 40, bias=bias, dtype=dtype)
    layers = nn.Sequential(plain)
    pack(layers)
    return plain, layers[0]


@torch.inference_mode()
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2), (torch.float64, 0.0)])
@pytest.mark.parametrize("shape", [(1, 1, 96), (2, 7, 96), (3, 2, 64, 96)])
def test_output_is_that_of_a_plain_layer(shape, dtype, tolerance, bias):
    with torch.inference_mode(False):
        plain, layer = packed(bias, dtype)
    x = torch.randn(shape, dtype=dtype)
    torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=tolerance)


@torch.no_grad()
def test_a_row_does_not_depend_on_the_others():
    _, layer = packed()
    x = torch.randn(64, 96)
    together = layer(x)
    assert all(torch.equal(layer(x[row : row + 1]), together[row : row + 1]) for row in range(64))


def test_parameters_are_those_of_the_plain_layer():
    plain, layer = packed()
    assert layer.weight is plain.weight and layer.bias is plain.bias
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_gradients_flow():
    plain, layer = packed()
    x = torch.randn(5, 96)
    layer(x).square().sum().backward()
    grad, layer.weight.grad = layer.weight.grad, None
    plain(x).square().sum().backward()
    torch.testing.assert_close(grad, plain.weight.grad)


@torch.no_grad()
@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.weight.mul_(2),
        lambda layer: layer.load_state_dict({"weight": torch.randn(40, 96), "bias": torch.randn(40)}),
        lambda layer: setattr(layer.weight, "data", torch.randn(40, 96)),
        lambda layer: layer.double(),
    ],
)
def test_a_changed_weight_is_noticed(change):
    _, layer = packed()
    change(layer)
    x = torch.randn(4, 96, dtype=layer.weight.dtype)
    torch.testing.assert_close(layer(x), nn.functional.linear(x, layer.weight, layer.bias))


@torch.no_grad()
def test_a_copy_computes_the_same():
    _, layer = packed()
    x = torch.randn(4, 96)
    torch.testing.assert_close(copy.deepcopy(layer)(x), layer(x))


@torch.no_grad()
def test_autocast_decides_as_for_a_plain_layer():
    plain, layer = packed()
    x = torch.randn(4, 96)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(x), plain(x)) and layer(x).dtype == torch.bfloat16
