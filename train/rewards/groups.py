"""Groups of clips of one prompt: how they are made, and how they are compared."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..lm_module import BlockWeights
from .rolling_out import Rollout

DECODINGS = tuple(BlockWeights().used)
"""How clips can be decoded."""
_EQUAL = 1e-6  # spread of rewards
_PACE = 0.1  # of the running variance of rewards


@dataclass(frozen=True)
class Groups:
    """How clips are made to be compared."""

    size: int = 8
    """Clips of a group, which share a prompt; at least 2."""
    fork_share: float = 0.5
    """Share of the steps whose groups also share their first latent frames, a random number of them; in [0, 1]."""
    given: int = 0
    """Latent frames of the true clip that each clip begins with."""
    decoding: str = "row"
    """How the clips are decoded, and so what is learned: `token`, `row` or `frame`."""
    num_frames: int | None = None
    """Frames of the clips that are made; None makes as many as the true ones have. Of clips beyond the LM's context each step
    learns from the sink and one stretch, as a stream would see it then."""

    def __post_init__(self) -> None:
        if self.size < 2 or not 0 <= self.fork_share <= 1 or self.given < 0:
            raise ValueError(f"got {self}; wanted a size of at least 2, fork_share in [0, 1] and given of at least 0")
        if self.decoding not in DECODINGS:
            raise ValueError(f"got groups.decoding {self.decoding!r}; wanted {', '.join(DECODINGS[:-1])} or {DECODINGS[-1]}")


class Advantages:
    """How much more each clip is worth than its group, in standard deviations within groups.

    The deviation is a running one, over steps. So groups whose clips differ by little count for little, such as those that fork
    late or in which all is right; a deviation of their own would give their smallest differences full weight (Liu et al. 2025).
    """

    def __init__(self) -> None:
        self.variance: float | None = None

    def __call__(self, values: Tensor, group_size: int) -> Tensor:
        """`[P * G]` -> `[P * G]`; a group whose clips are all worth the same gets zeros."""
        groups = values.unflatten(0, (-1, group_size))
        variances = groups.var(dim=1)
        differ = variances.sqrt() > _EQUAL
        if not differ.any():
            return torch.zeros_like(values)
        now = float(variances[differ].mean())
        self.variance = now if self.variance is None else self.variance + _PACE * (now - self.variance)
        apart = groups - groups.mean(dim=1, keepdim=True)
        return torch.where(differ[:, None], apart / self.variance**0.5, 0.0).flatten()


def diversity(rollout: Rollout, group_size: int) -> float:
    """Share of the tokens in which a clip differs from the next one of its group, where they may differ."""
    groups = rollout.tokens[:, rollout.fork :].unflatten(0, (-1, group_size))
    return float((groups != groups.roll(1, dims=1)).float().mean())
