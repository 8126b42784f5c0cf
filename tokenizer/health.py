"""Codebook health: how many of its codes a tokenizer really uses."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CodebookHealth:
    """How a codebook is used.

    Attributes:
        usage: Share of the codes that were seen, in [0, 1].
        perplexity: Exponential of the entropy of the codes, in [1, codebook_size].
        dead: Number of codes that were never seen.
    """

    usage: float
    perplexity: float
    dead: int


def count_tokens(tokens: Tensor, codebook_size: int) -> Tensor:
    """How often each token occurs: int64 `[codebook_size]`."""
    return torch.bincount(tokens.flatten(), minlength=codebook_size)


def codebook_health(counts: Tensor) -> CodebookHealth:
    """Health from how often each code was seen, `[V]`.

    Raises:
        ValueError: No token was counted.
    """
    total = counts.sum().item()
    if total == 0:
        raise ValueError("got counts of no tokens at all; wanted at least one; count some batches first")
    shares = counts[counts > 0].double() / total
    seen = shares.numel()
    entropy = -(shares * shares.log()).sum()
    return CodebookHealth(usage=seen / counts.numel(), perplexity=entropy.exp().item(), dead=counts.numel() - seen)
