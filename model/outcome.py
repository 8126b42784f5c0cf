"""The heads of a world: what a latent frame was worth, and whether the episode ended in it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..state import State
from .layers import zero_linear


@dataclass
class Outcome(State):
    """What came of the actions of a latent frame.

    Attributes:
        reward: float32 `[B]`, the sum over the frames of the latent frame; None without a head for it.
        end: float32 `[B]` in [0, 1], how likely the episode ended in one of these frames; None without a head for it.
    """

    reward: Tensor | None
    end: Tensor | None


class OutcomeHeads(nn.Module):
    """Reads rewards and ends from the last hidden vector of a latent frame.

    Rewards are predicted on a symmetric logarithmic scale (symlog, Hafner et al. 2023), so their size needs no setting.

    Args:
        width: Width E of the video LM.
        rewards: Whether there is a head for rewards.
        ends: Whether there is one for ends.
    """

    def __init__(self, width: int, rewards: bool, ends: bool):
        super().__init__()
        self.reward = zero_linear(width, 1) if rewards else None
        self.end = zero_linear(width, 1) if ends else None

    def forward(self, hidden: Tensor) -> Outcome:
        """The outcome of latent frames from their last hidden vectors, `[B, E]`."""
        reward = None if self.reward is None else symexp(self.reward(hidden).float().squeeze(-1))
        end = None if self.end is None else self.end(hidden).float().squeeze(-1).sigmoid()
        return Outcome(reward, end)

    def loss(self, hidden: Tensor, rewards: Tensor | None, ends: Tensor | None) -> dict[str, Tensor]:
        """What the predictions are off, by the name of the head: squared error of symlog rewards, cross-entropy of ends.

        Args:
            hidden: `[B, F, E]`, the last hidden vector of every latent frame.
            rewards: float `[B, F]`, NaN where unknown; None if all are.
            ends: float `[B, F]`, 1 if the episode ended, NaN where unknown; None if all are.

        Returns:
            A scalar for each head whose truth is known of some latent frame.
        """
        losses = {}
        if self.reward is not None and rewards is not None and (known := ~rewards.isnan()).any():
            predicted = self.reward(hidden).float().squeeze(-1)
            losses["reward"] = F.mse_loss(predicted[known], symlog(rewards[known].float()))
        if self.end is not None and ends is not None and (known := ~ends.isnan()).any():
            logits = self.end(hidden).float().squeeze(-1)
            losses["end"] = F.binary_cross_entropy_with_logits(logits[known], ends[known].float())
        return losses


def symlog(x: Tensor) -> Tensor:
    """`sign(x) * log(1 + |x|)`: as x near 0, as a logarithm far off."""
    return x.sign() * x.abs().log1p()


def symexp(x: Tensor) -> Tensor:
    """The inverse of `symlog`."""
    return x.sign() * torch.expm1(x.abs())
