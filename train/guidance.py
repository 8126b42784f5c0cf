"""`LitGuidance`: a video LM that needs no guidance, since it has learned what guidance would make of its predictions."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..model import VideoLM
from ..sample import SamplingParams
from ..sample.sampling import guide_all, shape_logits
from .conditioning import Example, drop_actions, drop_prompts
from .from_bundle import LitFromBundle
from .lm_module import BlockWeights, Score
from .muon import MuonConfig
from .optim import AdamWConfig


@dataclass(frozen=True)
class Taught:
    """The settings of sampling that are learned: as of `SamplingParams`."""

    guidance_scale: float = 2.0
    """Of the text; 1 is none."""
    action_guidance: float = 1.0
    """Of the actions; 1 is none."""
    temperature: float = 0.9
    """What is learned is then sampled at 1."""

    def __post_init__(self) -> None:
        if self.params.temperature == 0:
            raise ValueError(
                "got temperature 0; wanted a number above 0 and up to 10, since the likeliest token alone teaches little"
            )

    @property
    def params(self) -> SamplingParams:
        """The settings, checked."""
        return SamplingParams(
            temperature=self.temperature, guidance_scale=self.guidance_scale, action_guidance=self.action_guidance
        )


_TAUGHT, _BLOCKS = Taught(), BlockWeights()
_OPTIMIZER = AdamWConfig(learning_rate=5e-4, warmup_steps=50, final_share=0.05)


class LitGuidance(LitFromBundle):
    """Trains the video LM of a bundle to predict without guidance what it predicts with it (Meng et al. 2023, for tokens).

    A step of sampling then takes one row of the network in the place of two. The bundle of the start is the teacher: on true
    clips it predicts each token under the prompt and under none, and what guidance and temperature make of both is the
    distribution that is learned. Where a prompt is dropped, the prediction without one is learned, so the trained model can be
    guided in turn.

    Args:
        init_from: Folder of the bundle to go on from; the same as `data.init_args.tokenizer`.
        taught: The settings of sampling that are learned.
        blocks: As of `LitVideoLM`.
        corruption: As of `LitVideoLM`; the teacher sees the same tokens.
        prompt_dropout: As of `LitVideoLM`.
        action_dropout: As of `LitVideoLM`.
        gap_probability: As of `LitVideoLM`.
        optimizer: AdamW and its schedule.
        muon: As of `LitVideoLM`.

    Raises:
        ValueError: A setting is out of range, or the bundle holds no video LM.
    """

    def __init__(
        self,
        init_from: str,
        taught: Taught = _TAUGHT,
        blocks: BlockWeights = _BLOCKS,
        corruption: float = 0.1,
        prompt_dropout: float = 0.1,
        action_dropout: float = 0.1,
        gap_probability: float = 0.25,
        optimizer: AdamWConfig = _OPTIMIZER,
        muon: MuonConfig | None = None,
    ):
        super().__init__(
            init_from,
            blocks=blocks,
            corruption=corruption,
            prompt_dropout=prompt_dropout,
            action_dropout=action_dropout,
            gap_probability=gap_probability,
            optimizer=optimizer,
            muon=muon,
        )
        self.taught = taught

    def on_fit_start(self) -> None:
        super().on_fit_start()
        if self.taught.params.action_guided and not self.start.config.num_actions:
            raise ValueError(
                f"got action_guidance {self.taught.action_guidance} for a model that knows no actions, {self.init_from}; wanted "
                "1, or a model of a world"
            )

    def score(self, batch: dict[str, Any], block_length: int) -> Score:
        """The cross-entropy of disturbed clips with what the teacher would sample from."""
        example = self.disturb(self.example(batch, block_length))
        hidden = self.hidden(example, block_length)
        entropy, log_z = self._cross_entropy(hidden, example, self._wanted(example, block_length))
        first, end = example.unscored
        entropy, log_z = (torch.cat([values[:, :first], values[:, end:]], dim=1) for values in (entropy, log_z))
        return Score(entropy.mean(), log_z.mean(), entropy.numel(), self.outcome_loss(hidden, example))

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """The loss of true clips as ever, and how far the predictions are from those of the teacher."""
        super().validation_step(batch, batch_idx)
        for name in self.blocks.used:
            length = self.block_length(name)
            example = self.example(batch, length)
            away = self.divergence(self.hidden(example, length), example, length)
            self.log(f"val/kl_{name}", away, batch_size=len(example.inputs), sync_dist=True)
            self.log(f"val_kl_{name}", away, prog_bar=True, logger=False, batch_size=len(example.inputs), sync_dist=True)

    def divergence(self, hidden: Tensor, example: Example, length: int) -> Tensor:
        """Nats a token by which predictions from `hidden` are off those of the teacher (Kullback and Leibler 1951)."""
        wanted = self._wanted(example, length)
        own = [torch.special.entr(shares).sum(dim=-1) for shares in wanted]  # the least that the cross-entropy can be
        return (self._cross_entropy(hidden, example, wanted)[0] - torch.stack(own).sum(dim=0)).mean()

    def _cross_entropy(self, hidden: Tensor, example: Example, wanted: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Nats of every token `[B, S]`, and the squared logarithm of the partition function."""
        nats, log_z = torch.zeros((), device=hidden.device), torch.zeros((), device=hidden.device)
        told = self.network.vocabulary.factors(hidden, example.targets)
        for (logits, _), shares in zip(told, wanted, strict=True):
            total = logits.float().logsumexp(dim=-1)
            likely = torch.where(shares > 0, logits.float(), 0.0)  # what is impossible has no logit
            nats, log_z = nats + total - (shares * likely).sum(dim=-1), log_z + total.square()
        return nats, log_z

    @torch.no_grad()
    def _wanted(self, example: Example, length: int) -> list[Tensor]:
        """What the teacher would sample each factor from, `[B, S, K]`."""
        params, targets = self.taught.params, example.targets
        rows = [self._factors(self.start, each, length, targets) for each in self._seen(example)]
        together = [torch.cat(logits).float() for logits in zip(*rows, strict=True)]
        return [shape_logits(guide_all(logits, params, params.guides), params).softmax(dim=-1) for logits in together]

    def _seen(self, example: Example) -> list[Example]:
        """What each row of the teacher sees: all, and without the prompt, and without the actions."""
        params, text = self.taught.params, self.data.text_tokenizer
        seen = [example]
        if params.guided:
            seen.append(replace(example, ids=drop_prompts(example.ids, 1.0, text.eos_id, text.pad_id)))
        if params.action_guided and example.actions is not None:
            seen.append(replace(example, actions=drop_actions(example.actions, 1.0)))
        return seen

    def _factors(self, network: VideoLM, example: Example, length: int, targets: Tensor) -> list[Tensor]:
        hidden = self.hidden(example, length, network)
        return [logits for logits, _ in network.vocabulary.factors(hidden, targets)]
