"""Vocabularies: what is learned, what is sampled and what is scored is one distribution."""

import math

import pytest
import tiny
import torch
from torch import Tensor

from framecast.model.vocabulary import FactorisedVocabulary, FullVocabulary, Pick, Vocabulary

SIZES = [2, 3, 49, 50, 97]


def make(kind: type[Vocabulary], size: int) -> Vocabulary:
    return tiny.randomise(kind(size, 16) if kind is FullVocabulary else kind(size, 16, math.isqrt(size - 1) + 1))


def hidden(rows: int = 2, length: int = 5) -> Tensor:
    return torch.randn(rows, length, 16, generator=tiny.rng())


def random_pick() -> Pick:
    """Draws from the softmax, the same numbers each time it is made."""
    generator = tiny.rng(1)

    def draw(logits: Tensor) -> Tensor:
        shares = logits.softmax(dim=-1).flatten(0, 1)
        return torch.multinomial(shares, 1, generator=generator).view(logits.shape[:-1])

    return draw


KINDS = pytest.mark.parametrize("kind", [FullVocabulary, FactorisedVocabulary])


@KINDS
@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_loss_is_the_log_probability_of_the_logits(kind, size):
    vocabulary, h = make(kind, size), hidden()
    logits = vocabulary.logits(h)
    assert logits.shape == (2, 5, size) and logits.isfinite().all()
    for token in range(size):
        nll = vocabulary.loss(h, torch.full((2, 5), token)).nll
        torch.testing.assert_close(nll, -logits.log_softmax(dim=-1)[..., token], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_factorised_logits_are_exact_log_probabilities(size):
    logits = make(FactorisedVocabulary, size).logits(hidden())
    torch.testing.assert_close(logits.exp().sum(dim=-1), torch.ones(2, 5))


@pytest.mark.parametrize("base", [1, 5, 12, 50])
@torch.no_grad()
def test_the_cut_is_free(base):
    vocabulary = tiny.randomise(FactorisedVocabulary(50, 16, base))
    assert vocabulary.low_table.num_embeddings == base and vocabulary.high_table.num_embeddings == -(-50 // base) + 1
    logits = vocabulary.logits(hidden())
    assert logits.shape == (2, 5, 50)
    torch.testing.assert_close(logits.exp().sum(dim=-1), torch.ones(2, 5))


@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_factorised_sampling_never_leaves_the_vocabulary(size):
    vocabulary, h = make(FactorisedVocabulary, size), hidden()
    last = lambda logits: (logits > -math.inf).long().cumsum(dim=-1).argmax(dim=-1)  # noqa: E731  the last that is possible
    assert (vocabulary.sample(h, last) == size - 1).all()
    draw = random_pick()
    drawn = torch.cat([vocabulary.sample(h, draw) for _ in range(50)])
    assert drawn.min() >= 0 and drawn.max() < size


@KINDS
@torch.no_grad()
def test_samples_follow_the_logits(kind):
    vocabulary, h = make(kind, 7), hidden(1, 1)
    draw = random_pick()
    drawn = vocabulary.sample(h.expand(20_000, 1, -1), draw)
    shares = torch.bincount(drawn.flatten(), minlength=7) / 20_000
    torch.testing.assert_close(shares, vocabulary.logits(h).softmax(dim=-1)[0, 0], atol=0.02, rtol=0)


@KINDS
@torch.no_grad()
def test_guidance_may_merge_rows(kind):
    """A pick that keeps the first half of the rows, as guidance does, chooses as the first half alone would."""
    vocabulary, h = make(kind, 50), hidden(4)
    greedy = vocabulary.sample(h[:2], lambda logits: logits.argmax(dim=-1))
    merged = vocabulary.sample(h, lambda logits: logits.chunk(2)[0].argmax(dim=-1))
    assert merged.shape == (2, 5) and torch.equal(merged, greedy)


@KINDS
@torch.no_grad()
def test_every_input_has_its_own_vector(kind):
    vocabulary = make(kind, 50)
    vectors = vocabulary.embed(torch.arange(51)[None])[0]  # the last is the start
    assert vectors.shape == (51, 16)
    distances = torch.cdist(vectors, vectors) + torch.eye(51) * 9
    assert distances.min() > 1e-2


@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_factorised_start_is_no_token(size):
    vocabulary = make(FactorisedVocabulary, size)
    start = vocabulary.embed(torch.tensor([[size]]))[0, 0]
    assert torch.equal(start, vocabulary.high_table.weight[-1])
    used = vocabulary.high_table.num_embeddings - 1
    assert used * vocabulary.base >= size > (used - 1) * vocabulary.base


@KINDS
def test_z_loss_is_zero_for_normalised_logits(kind):
    vocabulary, h = make(kind, 50), hidden()
    loss = vocabulary.loss(h, torch.zeros(2, 5, dtype=torch.int64))
    assert loss.nll.shape == loss.log_z.shape == (2, 5) and (loss.log_z >= 0).all()
    if isinstance(vocabulary, FullVocabulary):
        torch.testing.assert_close(loss.log_z, vocabulary.logits(h).logsumexp(dim=-1).square())
    (loss.nll + loss.log_z).mean().backward()
    unused = {"table.weight", "high_table.weight", "low_table.weight"}
    assert {name for name, p in vocabulary.named_parameters() if p.grad is None} <= unused


@KINDS
@torch.no_grad()
def test_losses_are_float32_under_autocast(kind):
    vocabulary = make(kind, 50)
    with torch.autocast("cpu", torch.bfloat16):
        loss = vocabulary.loss(hidden(), torch.ones(2, 5, dtype=torch.int64))
    assert loss.nll.dtype == loss.log_z.dtype == torch.float32
    expected = vocabulary.loss(hidden(), torch.ones(2, 5, dtype=torch.int64)).nll
    torch.testing.assert_close(loss.nll, expected, atol=0.1, rtol=0.05)
