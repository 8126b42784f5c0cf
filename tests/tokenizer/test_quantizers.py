"""Every quantizer through the one interface: tokens and latents are two names of the same thing."""

from itertools import product

import pytest
import tiny
import torch
import vector_quantize_pytorch

from framecast.tokenizer import (
    FSQ,
    LFQ,
    QUANTIZERS,
    VQ,
    Quantizer,
    ResidualFSQ,
    ResidualSimVQ,
    ResidualVQ,
    SimVQ,
    quantizer_named,
)
from framecast.tokenizer.quantizer import join_digits, split_digits

OPTIONS = {
    "FSQ": {"levels": (4, 3, 5)},
    "LFQ": {"num_bits": 6},
    "VQ": {"codebook_size": 24, "dim": 4},
    "VQ, euclidean": {"codebook_size": 24, "dim": 4, "cosine": False},
    "SimVQ": {"codebook_size": 24, "dim": 4},
    "ResidualFSQ": {"levels": (5, 3), "num_quantizers": 2},
    "ResidualFSQ, three rounds": {"levels": (4, 4), "num_quantizers": 3},
    "ResidualVQ": {"codebook_size_per_level": 8, "num_quantizers": 2, "dim": 4},
    "ResidualSimVQ": {"codebook_size_per_level": 8, "num_quantizers": 2, "dim": 4},
}
SIZES = {"FSQ": 60, "LFQ": 64, "ResidualFSQ": 15**2, "ResidualFSQ, three rounds": 16**3, "ResidualVQ": 64, "ResidualSimVQ": 64}


def make(name: str) -> Quantizer:
    torch.manual_seed(0)
    return quantizer_named(name.split(",")[0])(**OPTIONS[name])


def latents(quantizer: Quantizer, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 2, 4, 8, quantizer.dim, generator=tiny.rng(seed))


def trained(name: str) -> Quantizer:
    """After some steps of training, which is when codebooks are made, moved and revived."""
    quantizer = make(name)
    for seed in range(1, 5):
        quantizer(latents(quantizer, seed))
    return quantizer.eval()


def test_every_quantizer_is_tested():
    assert {name.split(",")[0] for name in OPTIONS} == set(QUANTIZERS)
    assert {quantizer_named(name) for name in QUANTIZERS} == {FSQ, LFQ, VQ, SimVQ, ResidualFSQ, ResidualVQ, ResidualSimVQ}


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_shapes_and_ranges(name):
    quantizer = trained(name)
    quantized = quantizer(latents(quantizer))
    assert quantizer.codebook_size == SIZES.get(name, 24)
    assert quantized.latents.shape == (2, 2, 4, 8, quantizer.dim) and quantized.latents.dtype == torch.float32
    assert quantized.tokens.shape == (2, 2, 4, 8) and quantized.tokens.dtype == torch.int64
    assert 0 <= quantized.tokens.min() and quantized.tokens.max() < quantizer.codebook_size
    assert quantized.tokens.unique().numel() > 5
    assert quantized.loss.shape == () and quantized.loss.isfinite()


BASES = {"FSQ": 12, "LFQ": 8, "ResidualFSQ": 15, "ResidualFSQ, three rounds": 64, "ResidualVQ": 8, "ResidualSimVQ": 8}


@pytest.mark.parametrize("name", OPTIONS)
def test_tokens_are_cut_between_two_digits(name):
    quantizer = make(name)
    assert quantizer.codebook_base == BASES.get(name, 5)  # 5 x 5 holds the 24 codes that have no digits


def test_tokens_without_a_digit_near_their_middle_are_cut_at_the_root():
    assert ResidualVQ(256, num_quantizers=3).codebook_base == 4096
    assert ResidualVQ(8, num_quantizers=3).codebook_base in (8, 64)


def test_either_part_of_an_fsq_token_is_some_of_its_numbers():
    quantizer = FSQ((8, 8, 8, 5, 5, 5))
    assert quantizer.codebook_base == 8 * 8 * 8
    tokens = torch.randint(quantizer.codebook_size // 512, (1, 1, 1, 50)) * 512 + 77
    latents = quantizer.tokens_to_latents(tokens)[0, 0, 0]
    assert (latents[:, :3] == latents[0, :3]).all() and (latents[:, 3:] != latents[0, 3:]).any()


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_tokens_to_latents_to_tokens_is_the_identity(name):
    quantizer = trained(name)
    every = torch.arange(quantizer.codebook_size).reshape(1, -1, 1, 1)
    vectors = quantizer.tokens_to_latents(every)
    assert vectors.shape == (*every.shape, quantizer.dim)
    if not isinstance(quantizer, ResidualFSQ):  # its rounds overlap: different tokens can add up to the same vector
        assert torch.equal(quantizer.latents_to_tokens(vectors), every)
    again = quantizer.tokens_to_latents(quantizer.latents_to_tokens(vectors))
    torch.testing.assert_close(again, vectors, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_encoded_tokens_round_trip(name):
    quantizer = trained(name)
    quantized = quantizer(latents(quantizer))
    torch.testing.assert_close(quantizer.tokens_to_latents(quantized.tokens), quantized.latents, atol=1e-5, rtol=0)
    assert torch.equal(quantizer.latents_to_tokens(quantizer.tokens_to_latents(quantized.tokens)), quantized.tokens)


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_places_are_quantized_alone(name):
    quantizer = trained(name)
    x = latents(quantizer)
    tokens = quantizer(x).tokens
    assert torch.equal(quantizer(x[1:, 1:, :, 2:3]).tokens, tokens[1:, 1:, :, 2:3])


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_two_passes_are_equal_in_eval(name):
    quantizer = trained(name)
    before = {key: value.clone() for key, value in quantizer.state_dict().items()}
    assert torch.equal(quantizer(latents(quantizer)).tokens, quantizer(latents(quantizer)).tokens)
    assert all(torch.equal(value, before[key]) for key, value in quantizer.state_dict().items())


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_options_and_weights_rebuild_it(name):
    quantizer = trained(name)
    again = type(quantizer)(**quantizer.options).eval()
    assert again.options == quantizer.options and again.codebook_size == quantizer.codebook_size
    again.load_state_dict(quantizer.state_dict())
    assert torch.equal(again(latents(quantizer)).tokens, quantizer(latents(quantizer)).tokens)
    every = torch.arange(quantizer.codebook_size).reshape(1, -1, 1, 1)
    assert torch.equal(again.tokens_to_latents(every), quantizer.tokens_to_latents(every))


@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_pass_straight_through(name):
    quantizer = trained(name).train()
    x = latents(quantizer).requires_grad_()
    quantized = quantizer(x)
    weights = torch.randn(quantized.latents.shape, generator=tiny.rng(9))
    (quantized.latents * weights).sum().backward()
    assert x.grad.isfinite().all() and (x.grad.flatten(0, 3).abs().sum(dim=1) > 0).float().mean() > 0.9


@pytest.mark.parametrize("name", ["LFQ", "VQ", "SimVQ", "ResidualVQ", "ResidualSimVQ"])
def test_losses_reach_the_latents(name):
    quantizer = trained(name).train()
    x = latents(quantizer).requires_grad_()
    quantizer(x).loss.backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_autocast_changes_no_token(name):
    quantizer = trained(name)
    x = latents(quantizer)
    for given in (x, x.bfloat16()):
        with torch.autocast("cpu", torch.bfloat16):
            quantized = quantizer(given)
            decoded = quantizer.tokens_to_latents(quantized.tokens)
        expected = quantizer(given.float())
        assert quantized.latents.dtype == decoded.dtype == torch.float32
        assert torch.equal(quantized.tokens, expected.tokens)
        torch.testing.assert_close(decoded, expected.latents, atol=1e-5, rtol=0)


@torch.no_grad()
def test_control_rounding_in_bfloat16_changes_tokens():
    x = torch.randn(1, 5000, 4, generator=tiny.rng()) * 3
    codes = vector_quantize_pytorch.FSQ([8, 5, 5, 5], force_quantization_f32=False)
    assert not torch.equal(codes(x)[1], codes(x.bfloat16())[1])


@torch.no_grad()
def test_lfq_bits_are_the_signs_highest_first():
    quantizer = LFQ(num_bits=4).eval()
    for bits in product((0, 1), repeat=4):
        x = torch.tensor(bits).float().reshape(1, 1, 1, 1, 4) * 2 - 1
        token = sum(bit << (3 - place) for place, bit in enumerate(bits))
        assert quantizer(x * 0.3).tokens.item() == token
        assert torch.equal(quantizer.tokens_to_latents(torch.full((1, 1, 1, 1), token)), x)
        assert quantizer.latents_to_tokens(x).item() == token


@torch.no_grad()
def test_fsq_uses_every_code():
    quantizer = FSQ((8, 5, 5))
    tokens = quantizer(torch.randn(1, 40, 32, 32, 3, generator=tiny.rng()) * 2).tokens
    assert tokens.unique().numel() == 200


@torch.no_grad()
def test_digits_join_and_split():
    tokens = torch.arange(5**3)
    digits = split_digits(tokens, 5, 3)
    assert torch.equal(join_digits(digits, 5), tokens)
    assert digits[1].tolist() == [1, 0, 0] and digits[25].tolist() == [0, 0, 1]  # the first round is the lowest digit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FSQ(levels=()), r"got levels \(\); wanted one or more numbers of at least 3"),
        (lambda: FSQ(levels=(8, 2)), r"got levels \(8, 2\); wanted"),
        (lambda: FSQ(levels=(17,) * 6), f"got {17**6} codes; wanted at most {2**24}"),
        (lambda: LFQ(num_bits=0), "got num_bits 0; wanted 1 to 18"),
        (lambda: LFQ(num_bits=19), "got num_bits 19; wanted 1 to 18"),
        (lambda: VQ(codebook_size=1), "got codebook_size 1, dim 8; wanted at least 2 and 1"),
        (lambda: VQ(dim=0), "got codebook_size 1024, dim 0"),
        (lambda: SimVQ(codebook_size=0), "got codebook_size 0"),
        (lambda: ResidualFSQ(levels=(1,)), r"got levels \(1,\); wanted"),
        (lambda: ResidualFSQ(num_quantizers=0), "got num_quantizers 0; wanted at least 1"),
        (lambda: ResidualVQ(codebook_size_per_level=1), "got codebook_size_per_level 1; wanted at least 2"),
        (lambda: ResidualVQ(num_quantizers=0), "got num_quantizers 0, dim 8; wanted at least 1 each"),
        (lambda: ResidualVQ(256, num_quantizers=8), r"got 256 x 256 x .* codes; wanted a joint codebook below 2\^62"),
        (lambda: ResidualSimVQ(num_quantizers=0), "got num_quantizers 0"),
    ],
)
def test_bad_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


SMALL = {"FSQ": lambda: FSQ((5, 5, 5)), "LFQ": lambda: LFQ(6), "VQ": lambda: VQ(16, 4)}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_latents_that_are_not_finite_poison_nothing(name, value):
    torch.manual_seed(0)
    quantizer = SMALL[name]().train()
    latents = torch.randn(2, 1, 4, 4, quantizer.dim)
    quantizer(latents)
    before = {key: state.clone() for key, state in quantizer.state_dict().items()}
    latents[1, 0, 2, 3, 0] = value
    found = quantizer(latents.requires_grad_())
    assert found.tokens.min() >= 0 and found.tokens.max() < quantizer.codebook_size
    assert not found.loss.isfinite() and quantizer.training
    assert found.latents[0].isfinite().all() and not found.latents[1].isfinite().all()
    for key, state in quantizer.state_dict().items():
        assert torch.equal(state, before[key]), key
    assert quantizer(torch.randn(2, 1, 4, 4, quantizer.dim)).loss.isfinite()


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_near_tokens_are_other_tokens_with_latents_near_by(name):
    quantizer = trained(name)
    tokens = quantizer(latents(quantizer)).tokens
    near = quantizer.near(tokens)
    assert near.shape == tokens.shape
    assert (near != tokens).all()
    assert ((near >= 0) & (near < quantizer.codebook_size)).all()
    own, found = quantizer.tokens_to_latents(tokens), quantizer.tokens_to_latents(near)
    others = quantizer.tokens_to_latents(torch.randint_like(tokens, quantizer.codebook_size))
    assert (found - own).norm(dim=-1).mean() < 0.8 * (others - own).norm(dim=-1).mean()
    assert (quantizer.near(tokens) != near).any()  # at random
