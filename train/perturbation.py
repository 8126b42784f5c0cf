"""Tokens that are wrong by a little, so that a decoder learns to make little of such errors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..tokenizer import Quantized, Quantizer


@dataclass(frozen=True)
class Perturbation:
    """A share of the tokens is replaced by near ones late in the training of a tokenizer (Qiu et al. 2025)."""

    share: float = 0.0
    """Largest share of the tokens of a clip, in [0, 1]; each clip draws its own, uniformly. 0 turns it off."""
    start: float = 0.67
    """Share of the steps after which it begins, in [0, 1)."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or not 0 <= self.start < 1:
            raise ValueError(f"got {self}; wanted a share in [0, 1] and a start in [0, 1)")

    def begun(self, step: int, num_steps: float) -> bool:
        """Whether it has begun by a step, from 0, of so many."""
        return step >= self.start * num_steps


def replaced(quantizer: Quantizer, quantized: Quantized, most: float) -> Tensor:
    """The latents `[B, T, H, W, D]` with a share of them replaced by those of near tokens, through which no gradient goes.

    Args:
        quantizer: Knows which tokens are near.
        quantized: The latents and their tokens.
        most: Largest share of a clip that is replaced.
    """
    tokens = quantized.tokens
    share = most * torch.rand(len(tokens), 1, 1, 1, device=tokens.device)
    chosen = torch.rand(tokens.shape, device=tokens.device) < share
    near = quantizer.tokens_to_latents(quantizer.near(tokens)).detach().to(quantized.latents.dtype)
    return torch.where(chosen.unsqueeze(-1), near, quantized.latents)
