"""`CodebookGuard`: watches which codes a tokenizer uses, and ends a run whose codebook has collapsed."""

from collections import deque
from typing import Any

import lightning as L
import torch
from torch import Tensor

from ..tokenizer import CodebookHealth, codebook_health, count_tokens
from .tokenizer_module import LitVideoTokenizer


class CodebookCollapse(RuntimeError):
    """The tokenizer uses next to none of its codes."""


class CodebookGuard(L.Callback):
    """Logs usage, perplexity and dead codes over the last steps; ends a run that uses too few codes.

    The guard looks every `trainer.log_every_n_steps` steps, and is idle if no tokenizer is trained.

    Args:
        window: Steps over which codes are counted.
        min_usage: Share of the codes that must be in use; 0 never ends a run.
        patience: Steps before the guard may end a run.
    """

    def __init__(self, window: int = 100, min_usage: float = 0.05, patience: int = 500):
        self.min_usage, self.patience = min_usage, patience
        self._tokens: deque[Tensor] = deque(maxlen=window)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not isinstance(pl_module, LitVideoTokenizer):
            return
        self._tokens.append(outputs["tokens"].flatten())
        if trainer.global_step % trainer.log_every_n_steps:
            return
        tokens = torch.cat(list(self._tokens))
        health = codebook_health(count_tokens(tokens, pl_module.tokenizer.codebook_size))
        for name in ("usage", "perplexity", "dead"):
            pl_module.log(f"codebook/{name}", float(getattr(health, name)))
        pl_module.log("usage", health.usage, prog_bar=True, logger=False)
        if trainer.global_step >= self.patience:
            self._check(health, tokens.numel(), pl_module, trainer.global_step)

    def _check(self, health: CodebookHealth, num_tokens: int, module: LitVideoTokenizer, step: int) -> None:
        codebook_size = module.tokenizer.codebook_size
        seen = codebook_size - health.dead
        if seen >= self.min_usage * min(codebook_size, num_tokens):  # more codes than tokens cannot all be seen
            return
        raise CodebookCollapse(
            f"the codebook has collapsed: at step {step} the last {len(self._tokens)} steps used {seen} of "
            f"{codebook_size} codes (perplexity {health.perplexity:.1f}); wanted at least {self.min_usage:.0%}; lower "
            "`model.init_args.optimizer.learning_rate`, take the FSQ quantizer or a smaller codebook, raise "
            "`revive_below` of a VQ, or check that the clips are not all alike; `codebook_guard.min_usage: 0` turns "
            "this off"
        )
