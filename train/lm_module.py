"""`LitVideoLM`: trains a `VideoLM` to predict the tokens of clips from the tokens before them, a prompt and actions."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..model import LMOutput, TokenLoss, VideoLM, VideoLMConfig, VideoLMShape, shift_tokens, to_sequence
from ..sample import SamplingParams, load_bundle
from .conditioning import Example, corrupt, cut_gap, draw_gap, drop_actions, drop_prompts
from .init_from import start_from
from .module import TrainingModule
from .muon import MuonConfig
from .optim import AdamWConfig
from .sharding.placing import fill, gathered, on_meta, shard
from .token_data import TokenDataModule

Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class BlockWeights:
    """How often each block length is trained, relative to the others; 0 leaves it out."""

    token: float = 1.0
    """One token at a time."""
    row: float = 2.0
    """One row of a latent frame at a time."""
    frame: float = 1.0
    """One latent frame at a time."""

    def __post_init__(self):
        weights = asdict(self).values()
        if min(weights) < 0 or not sum(weights) > 0:
            raise ValueError(f"got {self}; wanted weights of at least 0, and one above it; 0 leaves a length out")

    @property
    def used(self) -> dict[str, float]:
        """The lengths that are trained, with their weights."""
        return {name: weight for name, weight in asdict(self).items() if weight > 0}

    def draw(self) -> str:
        """One of the lengths, at random."""
        used = self.used
        return list(used)[int(torch.multinomial(torch.tensor(list(used.values()), dtype=torch.float32), 1))]


_LM, _BLOCKS, _OPTIMIZER = VideoLMShape(), BlockWeights(), AdamWConfig(learning_rate=1.5e-3, warmup_steps=100)


@dataclass(frozen=True)
class Score:
    """The loss of some clips.

    Attributes:
        nats: Mean over the tokens that are scored, scalar.
        log_z: Mean square of the logarithm of the partition function, scalar.
        num_tokens: How many are scored.
        outcome: What the predictions of rewards and ends are off, by name; of what is known.
    """

    nats: Tensor
    log_z: Tensor
    num_tokens: int
    outcome: dict[str, Tensor] = field(default_factory=dict)


class LitVideoLM(TrainingModule):
    """Trains a video LM on tokens: cross-entropy and z-loss, with a random block length at every step.

    The network is built when the data are known, from `lm` and the sizes that tokenizer, videos, captions and actions dictate.
    If the data have an action space, it is the model of a world. Clips without actions are trained on as clips of unknown ones.

    Args:
        lm: Shape of the network.
        blocks: How often each block length is trained.
        z_weight: Weight of the z-loss.
        corruption: Largest share of a clip's input tokens that is replaced by random ones, in [0, 1].
        prompt_dropout: Share of the clips that get the null prompt instead of theirs, in [0, 1].
        action_dropout: Share of the clips whose actions are made unknown, in [0, 1]; guidance on actions needs some.
        outcome_weight: Weight of the losses of rewards and ends, if `lm.rewards` and `lm.ends` want heads for them: the mean
            squared error of rewards on a symmetric logarithmic scale, and the cross-entropy of ends.
        gap_probability: Share of the steps in which latent frames between the sink and the rest are cut out, in [0, 1].
        optimizer: AdamW and its schedule.
        muon: Muon for the matrices of the layers, on the same schedule; None leaves all to AdamW.
        init_from: Folder of a bundle whose video LM to start from, the same as `data.init_args.tokenizer`; its shape must be
            `lm`, but for the sink and the context; None starts from random weights. A model without actions, rewards, ends,
            the embedding skip or value embeddings goes on as one with them.
        activation_checkpointing: Whether only the inputs of layers are kept for the backward pass, and the rest is computed
            again: a third more time, for a fraction of the memory.

    Raises:
        ValueError: If a share or the weight is out of range.
    """

    what, unit, can_be_sharded = "video LM", "tokens", True

    def __init__(
        self,
        lm: VideoLMShape = _LM,
        blocks: BlockWeights = _BLOCKS,
        z_weight: float = 1e-4,
        corruption: float = 0.1,
        prompt_dropout: float = 0.1,
        gap_probability: float = 0.25,
        optimizer: AdamWConfig = _OPTIMIZER,
        init_from: str | None = None,
        action_dropout: float = 0.1,
        outcome_weight: float = 0.1,
        muon: MuonConfig | None = None,
        activation_checkpointing: bool = False,
    ):
        super().__init__(optimizer)
        self.shape, self.blocks, self.muon, self.init_from = lm, blocks, muon, init_from
        self.activation_checkpointing = activation_checkpointing
        shares = {
            "corruption": corruption,
            "prompt_dropout": prompt_dropout,
            "gap_probability": gap_probability,
            "action_dropout": action_dropout,
        }
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"got {name} {share}; wanted a share from 0 to 1; 0 turns it off")
        self.corruption, self.prompt_dropout, self.gap_probability = corruption, prompt_dropout, gap_probability
        if not 0 <= outcome_weight < math.inf:
            raise ValueError(f"got outcome_weight {outcome_weight}; wanted a number of at least 0")
        self.z_weight, self.action_dropout, self.outcome_weight = z_weight, action_dropout, outcome_weight
        self.lm: VideoLM | None = None
        self._latest: dict[str, Tensor] = {}

    def configure_model(self) -> None:
        """Builds the network; Lightning calls this when the data are set up, before a checkpoint is loaded."""
        if self.lm is not None:
            return
        config, mesh = self.data.lm_config(self.shape), self.device_mesh
        if mesh is None:
            self.lm = self._first(config)
        else:
            self.lm = on_meta(config)
            shard(self, self.lm, mesh["data_parallel"], torch.bfloat16 if self.trainer.precision == "bf16-mixed" else None)
            fill(self, self.lm, lambda: self._first(config), self.trainer.strategy.root_device)
        self.lm.layers.activation_checkpointing = self.activation_checkpointing

    def _first(self, config: VideoLMConfig) -> VideoLM:
        """The network with the weights that the training begins with."""
        lm = VideoLM(config)
        if self.init_from is not None:
            start_from(lm, load_bundle(self.init_from), self.data.bundle, self.data.action_space)
        return lm

    @property
    def data(self) -> TokenDataModule:
        """Where the tokens come from.

        Raises:
            ValueError: If it is no `TokenDataModule`.
        """
        data: Any = self.trainer.datamodule
        if not isinstance(data, TokenDataModule):
            raise ValueError(
                f"got {type(data).__name__} as the data of a video LM; wanted tokens; set `data.class_path` to "
                "framecast.train.TokenDataModule"
            )
        return data

    @property
    def network(self) -> VideoLM:
        assert self.lm is not None, "configure_model comes first"
        return self.lm

    def whole_network(self) -> VideoLM | None:
        if self.device_mesh is None:
            return self.network
        return gathered(self, self.network, self.device)

    def bundle(self, network: VideoLM | None = None) -> dict[str, Any]:
        data = self.data
        parts = {"tokenizer": data.bundle.tokenizer, "lm": network or self.network, "text_tokenizer": data.text_tokenizer}
        return {**parts, "action_space": data.action_space, "starts": data.starts}

    @property
    def tokenizer_bundle(self) -> dict[str, str]:
        bundle = self.data.bundle
        return {"folder": str(bundle.path.resolve()), "sha256": bundle.hashes["tokenizer.safetensors"]}

    def make_optimizer(self) -> torch.optim.Optimizer:
        if self.muon is None:
            return super().make_optimizer()
        return self.muon.optimizer(self.network.hidden_layers, self, self.recipe)

    def count(self, batch: dict[str, Any]) -> int:
        return sum(part["tokens"].numel() for part in _parts(batch).values())

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        name = self._draw_block_length()
        block_length = self.block_length(name)
        scores = {what: self.score(part, block_length) for what, part in _parts(batch).items()}
        self._latest |= self._measures("train", name, scores["clips"].nats.detach())
        self._latest |= {f"train/{what}_loss": loss.detach() for what, loss in scores["clips"].outcome.items()}
        if "stills" in scores:
            self._latest["train/nats_stills"] = scores["stills"].nats.detach()
        self.log_dict(self._latest)
        self.log("nats", scores["clips"].nats.detach(), prog_bar=True, logger=False)
        num_tokens = sum(score.num_tokens for score in scores.values())
        shares = [(score.nats + self.z_weight * score.log_z) * (score.num_tokens / num_tokens) for score in scores.values()]
        outcome = [self.outcome_weight * loss for loss in scores["clips"].outcome.values()]
        return torch.stack(shares + outcome).sum()

    def _draw_block_length(self) -> str:
        """One of the lengths: the same in all processes, or each would wait for the slowest at every step."""
        return self.of_first(self.blocks.draw())

    def of_first(self, value: Drawn) -> Drawn:
        """What the first of several processes has drawn."""
        several = torch.distributed.is_available() and torch.distributed.is_initialized()
        return self.trainer.strategy.broadcast(value) if several else value

    def score(self, batch: dict[str, Any], block_length: int) -> Score:
        """The loss of disturbed clips."""
        example = self.disturb(self.example(batch, block_length))
        hidden = self.hidden(example, block_length)
        loss = self.network.vocabulary.loss(hidden, example.targets)
        first, end = example.unscored
        nll, log_z = (torch.cat([values[:, :first], values[:, end:]], dim=1) for values in (loss.nll, loss.log_z))
        return Score(nll.mean(), log_z.mean(), nll.numel(), self.outcome_loss(hidden, example))

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        batch_size = batch["tokens"].shape[0]
        for name in self.blocks.used:
            block_length = self.block_length(name)
            example = self.example(batch, block_length)
            hidden = self.hidden(example, block_length)
            nats = self.network.vocabulary.loss(hidden, example.targets).nll.mean()
            measures = self._measures("val", name, nats)
            measures |= {f"val/{what}_loss_{name}": loss for what, loss in self.outcome_loss(hidden, example).items()}
            if example.actions is not None and batch_size > 1:
                measures[f"val/nats_{name}_other_actions"] = self._nats_of_other_actions(example, block_length)
            self.log_dict(measures, batch_size=batch_size, sync_dist=True)
            self.log(f"val_{name}", nats, prog_bar=True, logger=False, batch_size=batch_size, sync_dist=True)

    def _nats_of_other_actions(self, example: Example, block_length: int) -> Tensor:
        """The loss if each clip is given another one's actions: how much more shows how much they say.

        The other one is half a batch away, since neighbours may be windows of one video.
        """
        assert example.actions is not None
        other = replace(example, actions=example.actions.roll(len(example.actions) // 2, dims=0))
        return self.token_loss(other, block_length).nll.mean()

    def block_length(self, name: str) -> int:
        """Tokens of a block, by the name it has in `SamplingParams`."""
        return SamplingParams(decoding=name).block_length(self.network.config.frame_shape)

    def example(self, batch: dict[str, Any], block_length: int) -> Example:
        """What predicts what in a batch."""
        tokens = batch["tokens"]
        inputs = shift_tokens(tokens, block_length, self.network.start_id)
        example = Example(inputs, to_sequence(tokens), batch["ids"], batch["starts"], tokens.shape[1])
        known = {name: batch[name].float() for name in self._conditions if name in batch}
        return replace(example, **known)

    @property
    def _conditions(self) -> list[str]:
        """What the network takes of a batch beside tokens and prompts."""
        config = self.network.config
        wanted = {"actions": config.num_actions > 0, "rewards": config.rewards, "ends": config.ends}
        return [name for name, is_wanted in wanted.items() if is_wanted]

    def disturb(self, example: Example) -> Example:
        """Gap, corruption, dropped prompts and actions; after the shift, so that targets stay what they are."""
        config, text = self.network.config, self.data.text_tokenizer
        gap = draw_gap(example.num_frames, config.sink_frames, self.gap_probability)
        example = cut_gap(example, config.sink_frames, gap)
        return replace(
            example,
            inputs=corrupt(example.inputs, example.num_frames, config.codebook_size, self.corruption),
            ids=drop_prompts(example.ids, self.prompt_dropout, text.eos_id, text.pad_id),
            actions=None if example.actions is None else drop_actions(example.actions, self.action_dropout),
        )

    def token_loss(self, example: Example, block_length: int, network: VideoLM | None = None) -> TokenLoss:
        """The loss of every token; of another network, if one is given."""
        hidden = self.hidden(example, block_length, network)
        return (network or self.network).vocabulary.loss(hidden, example.targets)

    def outcome_loss(self, hidden: Tensor, example: Example) -> dict[str, Tensor]:
        """What the predictions of rewards and ends are off, by name, from the last hidden vector of each latent frame."""
        if self.network.heads is None:
            return {}
        last = hidden.unflatten(1, (example.num_frames, -1))[:, :, -1]
        return self.network.heads.loss(last, example.rewards, example.ends)

    def hidden(self, example: Example, block_length: int, network: VideoLM | None = None) -> Tensor:
        """The hidden vectors that predict the targets; of another network, if one is given."""
        network = network or self.network
        real = example.ids != self.data.text_tokenizer.pad_id
        prompts = network.encode_prompts(example.ids, real, example.starts, example.num_frames)
        actions = None if example.actions is None else network.encode_actions(example.actions)
        output: LMOutput = network(example.inputs, prompts, block_length, actions=actions)
        return output.hidden

    def _measures(self, stage: str, name: str, nats: Tensor) -> dict[str, Tensor]:
        bits = bits_per_pixel(nats, self.data.pixels_per_token)
        return {f"{stage}/nats_{name}": nats, f"{stage}/bits_per_pixel_{name}": bits}


def _parts(batch: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The clips of a batch, and the single frames that come with them, if any."""
    return {"clips": batch} | ({"stills": batch["stills"]} if "stills" in batch else {})


def bits_per_pixel(nats_per_token: Tensor, pixels_per_token: float) -> Tensor:
    """What a code driven by the model would spend on each pixel of the video."""
    return nats_per_token / (math.log(2) * pixels_per_token)
