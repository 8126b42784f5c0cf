"""Prepared layers compute what plain ones do, and notice when they must not be used."""

import copy

import pytest
import tiny
import torch
from torch import nn

from framecast.sample import products
from framecast.sample.kernels import PreparedConv2d, PreparedLinear
from framecast.sample.kernels import prepared as prepared_network
from framecast.sample.products import OrderedProduct, TransposedProduct, linear_kernel
from framecast.state import tensors_of

DTYPES = [(torch.float32, 1e-5), (torch.bfloat16, 2e-2), (torch.float64, 0.0)]


def linear(bias: bool = True) -> tuple[nn.Module, torch.Tensor]:
    return nn.Linear(96, 40, bias=bias), torch.randn(64, 96)


def conv(bias: bool = True, **options) -> tuple[nn.Module, torch.Tensor]:
    return nn.Conv2d(24, 40, 3, bias=bias, **{"padding": 1, **options}), torch.randn(6, 24, 8, 8)


def prepared(plain: nn.Module) -> nn.Module:
    layers = prepared_network(nn.Sequential(plain))
    assert isinstance(layers[0], PreparedLinear | PreparedConv2d)
    return layers[0]


@pytest.mark.parametrize("make", [linear, conv])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_output_is_that_of_a_plain_layer(make, dtype, tolerance, bias):
    plain, x = make(bias)
    layer, x = prepared(plain.to(dtype)), x.to(dtype)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=tolerance)
        torch.testing.assert_close(layer(x[:1]), plain(x[:1]), rtol=0, atol=tolerance)


@pytest.mark.parametrize("options", [{"stride": 2}, {"dilation": 2}, {"groups": 4}, {"padding": 0}, {"padding": (2, 0)}])
def test_geometry_of_a_convolution_is_kept(options):
    plain, x = conv(**options)
    with torch.inference_mode():
        torch.testing.assert_close(prepared(plain)(x), plain(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding_mode": "reflect"}])
def test_convolutions_that_the_kernels_do_not_know_stay_plain(options):
    plain, _ = conv(**options)
    layers = prepared_network(nn.Sequential(plain))
    assert type(layers[0]) is nn.Conv2d and layers[0].weight is plain.weight


def test_the_network_itself_stays_as_it_is():
    inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    network = nn.Sequential(inner, nn.ReLU(), inner).train()
    kinds = [type(module) for module in network.modules()]
    copied = prepared_network(network)
    assert [type(module) for module in network.modules()] == kinds and all(module.training for module in network.modules())
    assert not any(module.training for module in copied.modules())
    assert copied[0] is copied[2] and type(copied[0][0]) is PreparedLinear
    assert [id(parameter) for parameter in copied.parameters()] == [id(parameter) for parameter in network.parameters()]
    copied[0][0].weight = nn.Parameter(torch.zeros(4, 4))
    assert network[0][0].weight.any()


@torch.no_grad()
@pytest.mark.parametrize("make", [linear, conv])
def test_a_row_or_picture_does_not_depend_on_the_others(make):
    plain, x = make()
    layer = prepared(plain)
    together = layer(x)
    assert all(torch.equal(layer(x[row : row + 1]), together[row : row + 1]) for row in range(len(x)))


@torch.no_grad()
@pytest.mark.parametrize(("in_features", "out_features"), [(256, 640), (640, 256), (1536, 512), (3072, 96)])
def test_wide_layers_give_a_row_alone_what_they_give_it_among_others(in_features, out_features):
    torch.manual_seed(0)
    plain, x = nn.Linear(in_features, out_features), torch.randn(64, in_features)
    layer = prepared(plain)
    together = layer(x)
    torch.testing.assert_close(together, plain(x), rtol=0, atol=1e-4)
    for rows in (1, 2, 3, 8, 16, 33):
        assert torch.equal(layer(x[:rows]), together[:rows]), rows
    assert torch.equal(layer(x[5].view(1, 1, -1)), together[5].view(1, 1, -1))


@torch.no_grad()
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("in_features", "out_features"), [(256, 640), (128, 40), (96, 96)])
def test_both_products_agree_to_the_last_bit_for_any_number_of_rows(in_features, out_features, bias):
    torch.manual_seed(1)
    weight, x = torch.randn(out_features, in_features), torch.randn(200, in_features)
    its_bias = torch.randn(out_features) if bias else None
    ordered, transposed = OrderedProduct(weight), TransposedProduct(weight)
    for rows in (*range(1, 34), 64, 100, 200):
        assert torch.equal(transposed(x[:rows], its_bias), ordered(x[:rows], its_bias)), rows
    assert torch.equal(transposed(x.view(2, 10, 10, -1), its_bias), ordered(x.view(2, 10, 10, -1), its_bias))


@torch.no_grad()
def test_where_no_padding_makes_them_agree_the_ordered_one_computes(monkeypatch):
    monkeypatch.setattr(products, "_padding", lambda *_: None)
    monkeypatch.setattr(TransposedProduct, "multiply", None)
    weight, x = torch.randn(40, 96), torch.randn(3, 96)
    assert torch.equal(TransposedProduct(weight)(x, None), OrderedProduct(weight)(x, None))


def test_the_faster_product_is_taken_only_where_both_agree(monkeypatch):
    for faster, kind in ((True, TransposedProduct), (False, OrderedProduct)):
        monkeypatch.setattr(products, "_transposed_is_faster", lambda *_, faster=faster: faster)
        assert type(linear_kernel(torch.randn(8, 256))) is kind
        assert type(linear_kernel(torch.randn(8, 257))) is OrderedProduct  # long sums are split, by each in its own way
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():
            assert type(linear_kernel(torch.randn(8, 64).bfloat16())) is OrderedProduct


@pytest.mark.parametrize("make", [linear, conv])
def test_parameters_are_those_of_the_plain_layer(make):
    plain, _ = make()
    layer = prepared(plain)
    assert layer.weight is plain.weight and layer.bias is plain.bias
    assert list(layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("make", [linear, conv])
def test_gradients_flow(make):
    plain, x = make()
    layer = prepared(plain)
    layer(x).square().sum().backward()
    grad, layer.weight.grad = layer.weight.grad, None
    plain(x).square().sum().backward()
    torch.testing.assert_close(grad, plain.weight.grad)


@torch.no_grad()
@pytest.mark.parametrize("make", [linear, conv])
@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.weight.mul_(2),
        lambda layer: layer.load_state_dict({name: torch.randn_like(value) for name, value in layer.state_dict().items()}),
        lambda layer: setattr(layer.weight, "data", torch.randn_like(layer.weight)),
        lambda layer: layer.double(),
    ],
    ids=["in place", "loaded", "swapped", "converted"],
)
def test_a_changed_weight_is_noticed(make, change):
    plain, x = make()
    layer, before = prepared(plain), plain(x)
    change(layer)
    after = plain(x.to(plain.weight.dtype))
    torch.testing.assert_close(layer(x.to(plain.weight.dtype)), after)
    assert after.dtype == torch.float64 or not torch.allclose(before, after)


@torch.no_grad()
@pytest.mark.parametrize("make", [linear, conv])
def test_a_copy_computes_the_same(make):
    plain, x = make()
    layer = prepared(plain)
    torch.testing.assert_close(copy.deepcopy(layer)(x), layer(x))
    assert torch.equal(prepared_network(nn.Sequential(layer))[0](x), layer(x))


@torch.no_grad()
@pytest.mark.parametrize("make", [linear, conv])
def test_autocast_decides_as_for_a_plain_layer(make):
    plain, x = make()
    layer = prepared(plain)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(x), plain(x)) and layer(x).dtype == torch.bfloat16


def test_a_layer_with_a_parametrization_is_copied_too():
    plain = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Embedding(5, 4)), nn.Linear(4, 4))
    with torch.no_grad():
        torch.testing.assert_close(prepared_network(plain)(torch.arange(5)), plain(torch.arange(5)))


@torch.no_grad()
@pytest.mark.parametrize("way", ["add", "film"])
def test_the_actions_of_a_stream_do_not_depend_on_the_others(way):
    lm = prepared_network(tiny.video_lm(**tiny.WORLDS[way]))
    actions = tiny.raw_actions(1, batch_size=5)
    together = lm.encode_actions(actions)
    assert all(torch.equal(*_values(lm.encode_actions(actions[[row]]), together.select([row]))) for row in range(5))
    nothing_known = lm.encode_actions(torch.full((3, 1, 2, 3), torch.nan))
    assert torch.equal(*_values(lm.action_encoder.nothing_known(), nothing_known.select([2])))


def _values(*vectors):
    return [value for each in vectors for value in tensors_of(each)]


@torch.no_grad()
def test_pictures_of_several_sizes_in_turns_get_what_they_get_alone():
    """The weight stands in the order for the size that came last; 96 channels have another one for small pictures."""
    torch.manual_seed(0)
    plain = nn.Conv2d(96, 96, 3, padding=1)
    pictures = [torch.randn(1, 96, side, side) for side in (8, 16, 4, 32, 8)]
    layer = prepared(plain)
    for x in pictures:
        assert torch.equal(layer(x), prepared(plain)(x))
        torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=1e-4)
