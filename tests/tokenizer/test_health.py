"""Codebook health against numbers worked out by hand."""

import math

import pytest
import torch

from framecast.tokenizer import codebook_health, count_tokens


def test_even_use():
    health = codebook_health(torch.tensor([3, 3, 3, 3]))
    assert (health.usage, health.dead) == (1.0, 0)
    assert health.perplexity == pytest.approx(4.0)


def test_one_code():
    health = codebook_health(torch.tensor([0, 7, 0, 0, 0]))
    assert (health.usage, health.dead) == (0.2, 4)
    assert health.perplexity == pytest.approx(1.0)


def test_uneven_use():
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    health = codebook_health(torch.tensor([1, 0, 3]))
    assert (health.usage, health.dead) == (pytest.approx(2 / 3), 1)
    assert health.perplexity == pytest.approx(math.exp(entropy))


def test_counts_add_up():
    first, second = torch.randint(5, (2, 3, 2, 4, 4), generator=torch.Generator().manual_seed(0))
    counts = count_tokens(first, 9) + count_tokens(second, 9)
    assert counts.shape == (9,) and counts.sum() == 2 * first.numel()
    assert torch.equal(counts, count_tokens(torch.cat([first, second]), 9))
    assert counts[5:].sum() == 0 and counts[3] == (first == 3).sum() + (second == 3).sum()


def test_no_tokens_are_refused():
    with pytest.raises(ValueError, match="got counts of no tokens at all; wanted at least one"):
        codebook_health(torch.zeros(4, dtype=torch.int64))
