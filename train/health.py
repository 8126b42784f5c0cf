"""`CodebookGuard`: watches which codes a tokenizer uses, and ends a run whose codebook has collapsed."""

from collections import deque
from typing import Any

import lightning as L
import torch
from torch import Tensor

from ..tokenizer import CodebookHealth, codebook_health, count_tokens
from .progress import say
from .tokenizer_module import LitVideoTokenizer

_FINE, _FEW, _SMALL = 0.4, 0.1, 1000
"""Shares of the codes in use from which on that is fine, and below which it is few; codes of a small codebook."""


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
        tokens, health = self._measure(pl_module)
        for name in ("usage", "perplexity", "dead"):
            pl_module.log(f"codebook/{name}", float(getattr(health, name)))
        pl_module.log("usage", health.usage, prog_bar=True, logger=False)
        if trainer.global_step >= self.patience:
            self._check(health, tokens.numel(), pl_module, trainer.global_step)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Says how many codes are in use, and what that means."""
        if isinstance(pl_module, LitVideoTokenizer) and self._tokens and not trainer.sanity_checking:
            tokens, health = self._measure(pl_module)
            early = trainer.global_step < self.patience
            use = explain_use(health, pl_module.tokenizer.codebook_size, tokens.numel(), early)
            say(trainer, f"step {trainer.global_step}: {use}")

    def _measure(self, module: LitVideoTokenizer) -> tuple[Tensor, CodebookHealth]:
        """The tokens of the last steps, and what they say of the codebook."""
        tokens = torch.cat(list(self._tokens))
        return tokens, codebook_health(count_tokens(tokens, module.tokenizer.codebook_size))

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


def explain_use(health: CodebookHealth, codebook_size: int, num_tokens: int, early: bool) -> str:
    """How many codes are in use, whether that is fine, and what to change if it is not.

    Args:
        health: What was counted.
        codebook_size: How many codes there are.
        num_tokens: How many tokens were counted; more codes than tokens cannot all be in use.
        early: Whether the training is young, so that little use means nothing yet.
    """
    seen, possible = codebook_size - health.dead, min(codebook_size, num_tokens)
    found = f"{seen:,} of {codebook_size:,} codes in use, as varied as {health.perplexity:,.0f} used evenly"
    if seen >= _FINE * possible:
        return f"{found}: fine"
    kind = "some are left over" if seen >= _FEW * possible else "few, so tokens tell little apart"
    if early:
        return f"{found}: {kind}, as is usual early in a training"
    fewer = "`model.init_args.quantizer.init_args.levels: [8, 5, 5, 5]`" if codebook_size > _SMALL else "fewer `levels` of FSQ"
    if seen >= _FEW * possible:
        return f"{found}: {kind}; a video LM learns fewer codes sooner, as with {fewer}"
    return f"{found}: {kind}; lower the learning rate, give clips that differ more, or take fewer codes, as with {fewer}"
