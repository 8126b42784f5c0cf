"""What arms minimise beside, or in the place of, the loss of the next token."""

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from framecast.model.layers import RMSNorm
from framecast.model.vocabulary import FactorisedVocabulary
from framecast.train.lm_module import Score

from .training import ArmTraining

_SPREAD, _NEAR = 0.5, 0.1  # of latents between -1 and 1; share of the probability that tokens nearby get
_SHORT_FRAMES = 3


class Recovering(ArmTraining):
    """reAR: a head on the first layer recovers the latents of the true input, one on a late layer tells those to come.

    Inputs are corrupted as always. The heads are not used in sampling.
    """

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        width, size = self.network.config.width, self.latents.shape[1]
        self.recover, self.foresee = (
            nn.Sequential(RMSNorm(width), nn.Linear(width, 64), nn.SiLU(), nn.Linear(64, size)) for _ in range(2)
        )
        self.given: dict[int, Tensor] = {}
        for index, layer in enumerate(self.network.layers):
            layer.register_forward_hook(lambda _, __, x, index=index: self.given.__setitem__(index, x))

    @property
    def latents(self) -> Tensor:
        """`[V + 1, D]`: the vector of each token in the tokenizer; zeros for the start."""
        return F.pad(_latents(self, torch.arange(self.network.config.codebook_size)), (0, 0, 0, 1))

    def score(self, batch: dict[str, Tensor], block_length: int) -> Score:
        clean, score = self.example(batch, block_length), super().score(batch, block_length)
        table, late = self.latents, len(self.network.layers) - 2
        recovered = self.recover(self.given[0].float()) - table[clean.inputs]
        foreseen = self.foresee(self.given[late].float()) - table[clean.targets]
        return replace(score, outcome={"latents": recovered.square().mean() + foreseen.square().mean()})


class Nearby(ArmTraining):
    """Targets that give tokens with near latents a tenth of the probability, in each factor of the vocabulary."""

    def score(self, batch: dict[str, Tensor], block_length: int) -> Score:
        example = self.disturb(self.example(batch, block_length))
        hidden, vocabulary = self.hidden(example, block_length), self.network.vocabulary
        assert isinstance(vocabulary, FactorisedVocabulary)
        high, low = example.targets // vocabulary.base, example.targets % vocabulary.base
        count = vocabulary.high_head.out_features
        logits = [vocabulary.high_head(hidden).float(), vocabulary._low(hidden, high).float()]
        tables = [
            _near(_latents(self, torch.arange(count) * vocabulary.base)),
            _near(_latents(self, torch.arange(vocabulary.base))),
        ]
        nll = [-(table[own] * each.log_softmax(-1)).sum(-1) for table, own, each in zip(tables, (high, low), logits, strict=True)]
        log_z = sum((each.logsumexp(-1).square() for each in logits), torch.zeros(()))
        return Score((nll[0] + nll[1]).mean(), log_z.mean(), nll[0].numel())


class Ahead(ArmTraining):
    """Another head tells the token one block later, out of the same hidden vector; it is not used in sampling."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        width = self.network.config.width
        self.later = nn.Sequential(RMSNorm(width), nn.Linear(width, width, bias=False))

    def score(self, batch: dict[str, Tensor], block_length: int) -> Score:
        example = self.disturb(self.example(batch, block_length))
        hidden, vocabulary = self.hidden(example, block_length), self.network.vocabulary
        loss = vocabulary.loss(hidden, example.targets)
        score = Score(loss.nll.mean(), loss.log_z.mean(), loss.nll.numel())
        if example.targets.shape[1] <= block_length:
            return score
        later = vocabulary.loss(self.later(hidden[:, :-block_length]), example.targets[:, block_length:])
        return replace(score, outcome={"ahead": later.nll.mean()})


class ShortFirst(ArmTraining):
    """The first half of the steps has clips of three latent frames."""

    def score(self, batch: dict[str, Tensor], block_length: int) -> Score:
        short = self.progress < 0.5 and batch["tokens"].shape[1] > 1
        return super().score(batch | {"tokens": batch["tokens"][:, :_SHORT_FRAMES]} if short else batch, block_length)


class SmallFirst(ArmTraining):
    """The first half of the steps has a third of the clips of the second half."""

    def score(self, batch: dict[str, Tensor], block_length: int) -> Score:
        some = len(batch["tokens"]) // 3 if self.progress < 0.5 else len(batch["tokens"])
        return super().score({name: value[:some] for name, value in batch.items() if name != "stills"}, block_length)


def _latents(module: ArmTraining, tokens: Tensor) -> Tensor:
    """float32 `[n, D]`."""
    return module.data.bundle.tokenizer.quantizer.tokens_to_latents(tokens[None, None, None])[0, 0, 0].float()


def _near(latents: Tensor) -> Tensor:
    """`[n, n]`: the probabilities of the targets for each true value."""
    weights = (-torch.cdist(latents, latents).square() / _SPREAD**2).exp().fill_diagonal_(0)
    return _NEAR * weights / weights.sum(dim=1, keepdim=True) + (1 - _NEAR) * torch.eye(len(latents))
