"""Choosing tokens: frequencies, single choices and limits, each beside a control that must be caught."""

from itertools import pairwise
from math import isqrt

import pytest
import tiny
import torch

from framecast.model.vocabulary import FactorisedVocabulary
from framecast.sample import SamplingParams
from framecast.sample.sampling import BatchChooser, Chooser, guide, shape_logits, stream_uniforms

INF = float("inf")
PLAIN = SamplingParams(temperature=1.0, guidance_scale=1.0)
LOGITS = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5, -INF])
DRAWS = 20_000


def plain(**changes) -> SamplingParams:
    return SamplingParams(**{"temperature": 1.0, "guidance_scale": 1.0, **changes})


def draws(count: int = DRAWS, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, count, generator=tiny.rng(seed), dtype=torch.float64)


def choose(logits: torch.Tensor, params: SamplingParams, uniforms: torch.Tensor) -> torch.Tensor:
    """The tokens `[S]` that uniform numbers `[1, S]` choose from one distribution `[V]`."""
    return Chooser(params, uniforms)(logits.expand(1, uniforms.shape[1], -1))[0]


def follows(tokens: torch.Tensor, shares: torch.Tensor) -> bool:
    """Whether the frequencies of tokens are those expected: Pearson's statistic within five deviations of its mean."""
    expected = shares * tokens.numel()
    counts = torch.bincount(tokens, minlength=len(shares))
    assert counts[expected == 0].sum() == 0, counts
    possible = expected > 0
    statistic = ((counts - expected).square() / expected)[possible].sum().item()
    freedom = int(possible.sum()) - 1
    return statistic < freedom + 5 * (2 * freedom) ** 0.5


def test_frequencies_are_those_of_the_softmax():
    assert follows(choose(LOGITS, PLAIN, draws()), LOGITS.double().softmax(0))


def test_control_other_frequencies_are_caught():
    assert not follows(choose(LOGITS, PLAIN, draws()), (LOGITS.double() / 1.1).softmax(0))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_changes_the_frequencies(temperature):
    tokens = choose(LOGITS, plain(temperature=temperature), draws())
    assert follows(tokens, (LOGITS.double() / temperature).softmax(0))
    assert not follows(tokens, LOGITS.double().softmax(0))  # a temperature without effect would pass here


def test_temperature_zero_takes_the_likeliest():
    assert set(choose(LOGITS, plain(temperature=0), draws(50)).tolist()) == {2}
    guided = Chooser(SamplingParams(temperature=0, guidance_scale=2.0), draws(1))
    assert guided(torch.tensor([[[3.0, 2.0]], [[3.0, 0.0]]])).tolist() == [[1]]  # 3 and 4


@pytest.mark.parametrize("temperature", [1e-300, 1e-40, 1e-9])
@pytest.mark.parametrize("scale", [1.0, 1e30])
def test_a_tiny_temperature_is_nearly_greedy(temperature, scale):
    assert set(choose(LOGITS * scale, plain(temperature=temperature), draws(50)).tolist()) == {2}


def test_one_uniform_number_decides_and_grows_with_the_token():
    uniforms = torch.linspace(0, 1 - 1e-9, 1001, dtype=torch.float64)[None]
    tokens = choose(LOGITS, PLAIN, uniforms)
    assert (tokens.diff() >= 0).all() and set(tokens.tolist()) == {0, 1, 2, 3, 4}
    assert torch.equal(tokens, choose(LOGITS, PLAIN, uniforms))
    edges = LOGITS.double().softmax(0).cumsum(0)
    assert torch.equal(tokens, (uniforms[0][:, None] >= edges).sum(dim=1))


def test_a_number_decides_one_token_only():
    uniforms, logits = draws(8), torch.randn(1, 8, 9, generator=tiny.rng())
    tokens = Chooser(PLAIN, uniforms)(logits)
    for index in range(8):
        changed = uniforms.clone()
        changed[0, index] = (changed[0, index] + 0.5) % 1
        differs = Chooser(PLAIN, changed)(logits) != tokens
        assert not differs[0, torch.arange(8) != index].any()


@pytest.mark.parametrize("uniform", [0.0, 1e-300, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("possible", [[1], [2, 3], [0, 4], [1, 3]])
def test_the_impossible_is_never_chosen(uniform, possible):
    logits = torch.full((5,), -INF)
    logits[possible] = torch.tensor([3.0, -60.0])[: len(possible)]
    token = choose(logits, PLAIN, torch.tensor([[uniform]], dtype=torch.float64)).item()
    assert token in possible


def test_the_ends_of_the_unit_interval_over_many_distributions():
    logits = torch.randn(1, 4000, 33, generator=tiny.rng()) * 5
    logits[..., [0, 16, 32]] = -INF
    for uniform in (0.0, 1 - 2**-53):
        tokens = Chooser(PLAIN, torch.full((1, 4000), uniform, dtype=torch.float64))(logits)
        assert tokens.min() >= 0 and tokens.max() < 33 and logits.gather(-1, tokens[..., None]).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 1}, [2]),
        ({"top_k": 3}, [0, 2, 4]),
        ({"top_k": 6}, [0, 1, 2, 3, 4]),
        ({"top_k": 99}, [0, 1, 2, 3, 4]),
        ({"top_p": 1e-9}, [2]),  # the likeliest is never left out
        ({"top_p": 0.49}, [2]),  # shares 0.4963, 0.3010, 0.1107, 0.0672, 0.0247 and 0, see the next test
        ({"top_p": 0.50}, [2, 4]),
        ({"top_p": 0.8}, [0, 2, 4]),
        ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
        ({"top_k": 3, "top_p": 0.56}, [2, 4]),  # of the three that are left, 0.5466, 0.3315 and 0.1219
        ({"top_k": 3, "top_p": 0.54}, [2]),
        ({"top_p": 0.8, "temperature": 4.0}, [0, 2, 3, 4]),  # temperature comes first
    ],
)
def test_what_top_k_and_top_p_keep(changes, kept):
    shaped = shape_logits(LOGITS.double(), plain(**changes))
    assert shaped.isfinite().nonzero().flatten().tolist() == kept
    expected = torch.full((6,), -INF, dtype=torch.float64)
    expected[kept] = LOGITS.double()[kept] / changes.get("temperature", 1.0)
    assert torch.allclose(shaped.softmax(0), expected.softmax(0))


def test_the_shares_of_the_hand_made_case():
    shares = LOGITS.double().softmax(0).sort(descending=True).values
    assert shares.tolist() == pytest.approx([0.4963, 0.3010, 0.1107, 0.0672, 0.0247, 0.0], abs=1e-4)


def test_top_p_takes_any_order_and_batch():
    logits = torch.randn(3, 4, 17, generator=tiny.rng()).double()
    shaped = shape_logits(logits, plain(top_p=0.6))
    for row, kept in zip(logits.flatten(0, 1), shaped.flatten(0, 1).isfinite(), strict=True):
        order, shares, total, wanted = row.argsort(descending=True).tolist(), row.softmax(0), 0.0, set()
        for token in order:
            if total < 0.6:
                wanted.add(token)
            total += shares[token].item()
        assert set(kept.nonzero().flatten().tolist()) == wanted


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0, 7.5])
def test_guidance_goes_from_the_null_prompt_past_the_prompt(scale):
    logits = torch.randn(6, 2, 5, generator=tiny.rng())
    guided = guide(logits, scale)
    assert guided.shape == (3, 2, 5)
    assert torch.allclose(guided, (1 - scale) * logits[3:] + scale * logits[:3], atol=1e-5)


def test_guidance_keeps_the_impossible_impossible():
    logits = torch.tensor([[[1.0, -INF, 0.0]], [[0.5, -INF, 2.0]]])
    assert guide(logits, 2.0).tolist() == [[[1.5, -INF, -2.0]]]
    assert guide(logits, 0.0).tolist() == [[[0.5, -INF, 2.0]]]


def test_a_chooser_guides_two_rows_to_one():
    logits = torch.randn(2, 200, 7, generator=tiny.rng())
    uniforms = draws(200)
    guided = Chooser(SamplingParams(temperature=1.0, guidance_scale=3.0), uniforms)(logits)
    assert torch.equal(guided, Chooser(PLAIN, uniforms)(guide(logits.double(), 3.0)))
    assert not torch.equal(guided, Chooser(PLAIN, uniforms)(logits[:1]))


def factorised(size: int) -> FactorisedVocabulary:
    return tiny.randomise(FactorisedVocabulary(size, width=8, base=isqrt(size - 1) + 1))


@pytest.mark.parametrize("size", [9, 11])
@torch.no_grad()
def test_one_number_decides_both_factors(size):
    vocabulary, hidden = factorised(size), torch.randn(8, generator=tiny.rng(1))
    tokens = vocabulary.sample(hidden.expand(1, DRAWS, -1), Chooser(PLAIN, draws()))[0]
    assert follows(tokens, vocabulary.logits(hidden).double().softmax(0))
    uniforms = draws().sort(dim=1).values
    ordered = vocabulary.sample(hidden.expand(1, DRAWS, -1), Chooser(PLAIN, uniforms))[0]
    assert (ordered.diff() >= 0).all()  # the very token that one inverse transform of the joint distribution gives


@torch.no_grad()
def test_control_the_same_number_for_both_factors_is_caught():
    class Careless(Chooser):
        def _invert(self, shares):
            kept = self.uniforms
            chosen = super()._invert(shares)
            self.uniforms = kept
            return chosen

    vocabulary, hidden = factorised(9), torch.randn(8, generator=tiny.rng(1))
    tokens = vocabulary.sample(hidden.expand(1, DRAWS, -1), Careless(PLAIN, draws()))[0]
    expected = vocabulary.logits(hidden).double().softmax(0) * DRAWS
    counts = torch.bincount(tokens, minlength=9)
    assert ((counts - expected).square() / expected).sum() > 1000


@torch.no_grad()
def test_a_guided_factorised_vocabulary_chooses_only_tokens_it_has():
    vocabulary, hidden = factorised(11), torch.randn(2, 2000, 8, generator=tiny.rng(1)) * 2
    tokens = vocabulary.sample(hidden, Chooser(SamplingParams(temperature=2.0, guidance_scale=3.0), draws(2000)))
    assert tokens.shape == (1, 2000) and set(tokens.unique().tolist()) == set(range(11))


def test_the_numbers_of_a_stream_depend_on_seed_and_latent_frame_only():
    assert torch.equal(stream_uniforms(3, 5, 64), stream_uniforms(3, 5, 64))
    assert torch.equal(stream_uniforms(3, 5, 64)[:8], stream_uniforms(3, 5, 8))
    streams = [tuple(stream_uniforms(seed, index, 3).tolist()) for seed in range(-10, 30) for index in range(30)]
    assert len(set(streams)) == len(streams)
    before = torch.random.get_rng_state()
    stream_uniforms(2**70, 10**9, 3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_numbers_of_a_stream_are_uniform_and_unrelated():
    numbers = torch.stack([stream_uniforms(seed, index, 10) for seed in range(40) for index in range(50)])
    assert numbers.dtype == torch.float64 and numbers.min() >= 0 and numbers.max() < 1
    cells = torch.bincount((numbers.flatten() * 20).long(), minlength=20).double()
    assert follows((numbers.flatten() * 20).long(), torch.full((20,), 0.05)), cells
    for a, b in pairwise(numbers.T):
        assert torch.corrcoef(torch.stack([a, b]))[0, 1].abs() < 0.1
    assert torch.corrcoef(torch.stack([numbers[:-1, 0], numbers[1:, 0]]))[0, 1].abs() < 0.1


@pytest.mark.parametrize("guided", [False, True])
def test_a_batch_chooses_what_each_stream_alone_would(guided):
    kinds = [PLAIN, plain(temperature=0.5, top_k=3), PLAIN, plain(guidance_scale=3.0) if guided else plain(top_p=0.7)]
    uniforms = torch.rand(4, 50, generator=tiny.rng(1), dtype=torch.float64)
    logits = torch.randn(2 if guided else 1, 4, 50, 9, generator=tiny.rng(2))
    together = BatchChooser(kinds, uniforms)(logits.flatten(0, 1))
    for row, params in enumerate(kinds):
        assert torch.equal(together[row : row + 1], Chooser(params, uniforms[row : row + 1])(logits[:, row]))
    assert len(together.unique()) > 5 and not torch.equal(together[0], together[2])
