"""The optimizer and its schedule: AdamW, linear warm-up, cosine decay."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


@dataclass(frozen=True)
class AdamWConfig:
    """AdamW with a linear warm-up and a cosine decay; matrices decay, vectors do not.

    Another optimizer and schedule can be named with `--optimizer` and `--lr_scheduler`; they replace this whole recipe.
    """

    learning_rate: float = 2e-3
    """Peak, reached at the end of the warm-up."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Decay of the running means of gradients and of squared gradients."""
    weight_decay: float = 0.05
    """On matrices and convolution kernels only."""
    warmup_steps: int = 50
    """Steps from zero to the peak."""
    final_share: float = 0.05
    """What is left of the peak at the last step."""

    def __post_init__(self):
        if self.learning_rate <= 0 or self.warmup_steps < 0 or not 0 <= self.final_share <= 1:
            raise ValueError(f"got {self}; wanted learning_rate > 0, warmup_steps >= 0 and final_share in [0, 1]")

    def optimizer(self, module: nn.Module) -> torch.optim.AdamW:
        """AdamW over the trainable parameters of `module`, in a group that decays and one that does not."""
        groups = self.groups(module.parameters())
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=self.betas, fused=True)

    def groups(self, parameters: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
        """Those that are trained, in a group that decays and one that does not."""
        trained = [p for p in parameters if p.requires_grad]
        return [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": self.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]

    def schedule(self, optimizer: torch.optim.Optimizer, num_steps: int) -> LambdaLR:
        """The schedule of a run of `num_steps` steps."""
        shape = (num_steps, self.warmup_steps, self.final_share)
        return LambdaLR(optimizer, lambda step: learning_rate_share(step, *shape))


def learning_rate_share(step: int, num_steps: int, warmup_steps: int, final_share: float) -> float:
    """Share of the peak: linear up to 1 over `warmup_steps`, then a cosine down to `final_share` at `num_steps`."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min((step - warmup_steps) / max(num_steps - warmup_steps, 1), 1.0)
    return final_share + (1 - final_share) * (1 + math.cos(math.pi * progress)) / 2
