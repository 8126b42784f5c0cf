"""From token to vector and from vector to the next token; large vocabularies in two factors.

A token of a factorised vocabulary is `high * base + low`, and low is predicted given high. So nothing is assumed independent. The
cost is that of two small vocabularies, of about the square root's size (MAGVIT-v2, Yu et al. 2023).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pick = Callable[[Tensor], Tensor]
"""Logits `[R, S, K]` -> the chosen index `[R', S]`; R' is R, or less if guidance merges rows."""


@dataclass(frozen=True)
class TokenLoss:
    """What training needs of a prediction, for every token, float32 `[B, S]`.

    Attributes:
        nll: Negative log likelihood in nats.
        log_z: The log of the softmax's sum, squared: the z-loss (PaLM, Chowdhery et al. 2022) before its weight.
    """

    nll: Tensor
    log_z: Tensor

    def __add__(self, other: "TokenLoss") -> "TokenLoss":
        return TokenLoss(self.nll + other.nll, self.log_z + other.log_z)


class Vocabulary(nn.Module, ABC):
    """Embeds input tokens and turns hidden vectors into predictions."""

    @abstractmethod
    def embed(self, inputs: Tensor) -> Tensor:
        """int64 `[B, S]` in [0, size]; `size` itself is the start -> `[B, S, E]`."""

    @abstractmethod
    def factors(self, hidden: Tensor, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The predictions that make up a token, each given what is chosen before it.

        Args:
            hidden: `[B, S, E]`.
            tokens: int64 `[B, S]`.

        Returns:
            For each factor its logits `[B, S, K]`, and which of them belongs to `tokens`, int64 `[B, S]`.
        """

    def loss(self, hidden: Tensor, tokens: Tensor) -> TokenLoss:
        """Loss of predicting `tokens` `[B, S]` from `hidden` `[B, S, E]`."""
        first, *others = (_token_loss(logits, chosen) for logits, chosen in self.factors(hidden, tokens))
        return sum(others, start=first)

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Log probabilities up to a constant of every token: `[..., E]` -> `[..., size]`. For tests and small vocabularies."""

    @abstractmethod
    def sample(self, hidden: Tensor, pick: Pick) -> Tensor:
        """Chooses tokens `[R', S]` from hidden `[R, S, E]`."""


class FullVocabulary(Vocabulary):
    """One table in, one linear layer out."""

    def __init__(self, size: int, width: int):
        super().__init__()
        self.table = nn.Embedding(size + 1, width)
        self.head = nn.Linear(width, size, bias=False)

    def embed(self, inputs: Tensor) -> Tensor:
        embedded: Tensor = self.table(inputs)
        return embedded

    def factors(self, hidden: Tensor, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(self.head(hidden), tokens)]

    def logits(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.head(hidden)
        return logits

    def sample(self, hidden: Tensor, pick: Pick) -> Tensor:
        return pick(self.head(hidden))


class FactorisedVocabulary(Vocabulary):
    """Two tables in, two linear layers out, the second one given the first's choice.

    Args:
        size: Number of tokens.
        width: Width of the vectors.
        base: Number of low factors, in [1, size].
    """

    def __init__(self, size: int, width: int, base: int):
        super().__init__()
        self.size, self.base = size, base
        num_high = ceil(size / self.base)
        self.high_table, self.low_table = nn.Embedding(num_high + 1, width), nn.Embedding(self.base, width)
        self.high_head = nn.Linear(width, num_high, bias=False)
        self.low_head = nn.Linear(width, self.base, bias=False)
        self.given = nn.Embedding(num_high, width)
        self.mix = nn.Linear(width, width, bias=False)

    def embed(self, inputs: Tensor) -> Tensor:
        start = inputs == self.size
        high = torch.where(start, self.high_table.num_embeddings - 1, inputs // self.base)
        low = self.low_table(inputs % self.base).masked_fill(start.unsqueeze(-1), 0.0)
        embedded: Tensor = self.high_table(high) + low
        return embedded

    def factors(self, hidden: Tensor, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        high = tokens // self.base
        return [(self.high_head(hidden), high), (self._low(hidden, high), tokens % self.base)]

    def logits(self, hidden: Tensor) -> Tensor:
        high = self.high_head(hidden).log_softmax(dim=-1)
        choices = torch.arange(high.shape[-1], device=hidden.device)
        low = self._low(hidden.unsqueeze(-2), choices).log_softmax(dim=-1)
        logits: Tensor = (high.unsqueeze(-1) + low).flatten(-2)[..., : self.size]
        return logits

    def sample(self, hidden: Tensor, pick: Pick) -> Tensor:
        high = pick(self.high_head(hidden))
        every = high.repeat(hidden.shape[0] // high.shape[0], 1)
        return high * self.base + pick(self._low(hidden, every))

    def _low(self, hidden: Tensor, high: Tensor) -> Tensor:
        """Logits of the low factor given the high one; tokens past the vocabulary's end are impossible."""
        logits: Tensor = self.low_head(F.silu(self.mix(hidden + self.given(high))) + hidden)
        if self.size % self.base == 0:
            return logits
        beyond = high.unsqueeze(-1) * self.base + torch.arange(self.base, device=high.device) >= self.size
        allowed: Tensor = logits.masked_fill(beyond, float("-inf"))
        return allowed


def _token_loss(logits: Tensor, tokens: Tensor) -> TokenLoss:
    logits = logits.float()
    log_z = logits.logsumexp(dim=-1)
    chosen = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return TokenLoss(log_z - chosen, log_z.square())
