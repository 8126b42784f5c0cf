"""Trains the video LM of an arm on the speedrun's tokens, on one thread and without Lightning's loop."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
import yaml

from framecast.data import SpriteWorld
from framecast.machine import bfloat16_pays
from framecast.model import VideoLM, VideoLMConfig, VideoLMShape
from framecast.train import EMA, AdamWConfig, BlockWeights, LitVideoLM, TokenDataModule
from framecast.train.trainer import Trainer

from ..recipes import CLIP_NORM, CONFIGS, arguments

CLIPS, HELD_OUT, STILLS = 16_000, 256, 2
"""Clips that are trained on and validated, and single frames beside each clip."""
WARMUP = 100
BEFORE = {"embedding_skip": False, "value_embeddings": False}
"""What the recipe was before any of this was tried; it had no Muon either."""
BLOCKS = BlockWeights(token=1.0, row=2.0, frame=1.0)
"""All lengths, so that each of them has a figure."""
Batch = dict[str, Any]


Network = Callable[[VideoLMConfig], VideoLM]


@dataclass(frozen=True)
class Arm:
    """A recipe for the video LM of the speedrun."""

    lm: dict[str, Any] = field(default_factory=dict)
    """What differs in the shape of the network."""
    training: dict[str, Any] = field(default_factory=dict)
    """What differs in the arguments of the training."""
    network: Network = VideoLM
    """What is built of that shape."""
    kind: "type[ArmTraining] | None" = None
    """What is minimised; None is the loss of the next token alone."""
    share: float = 1.0
    """Steps, as a share of the base's."""
    decay: float = 0.995
    """Of the average of the weights."""
    batch_size: int = 10
    """Clips of a step."""

    def training_of(self, data: TokenDataModule) -> "ArmTraining":
        """Its training, from random weights."""
        return (self.kind or ArmTraining)(data, self)


class ArmTraining(LitVideoLM):
    """The training of the speedrun's video LM, but for what an arm changes; it needs no trainer."""

    def __init__(self, data: TokenDataModule, arm: Arm):
        own = arguments("speedrun_lm")
        rates = AdamWConfig(float(own["optimizer"]["learning_rate"]), warmup_steps=WARMUP)
        settings = {"corruption": own["corruption"], "gap_probability": own["gap_probability"], "optimizer": rates}
        super().__init__(VideoLMShape(**own["lm"] | BEFORE | arm.lm), BLOCKS, **settings | arm.training)
        self.tokens, self.progress = data, 0.0
        self.lm = arm.network(data.lm_config(self.shape))

    @property
    def data(self) -> TokenDataModule:
        return self.tokens

    def log(self, *_: Any, **__: Any) -> None:
        """Nobody reads it."""

    def log_dict(self, *_: Any, **__: Any) -> None:
        """As `log`."""


@dataclass(frozen=True)
class Run:
    """What a training of an arm gave: nats by length of block, on held-out clips, and the processor seconds of its steps."""

    arm: str
    seed: int
    steps: int
    nats: dict[str, float]
    seconds: float


class Loop:
    """Steps of a training, each as `framecast train` makes them."""

    def __init__(self, module: ArmTraining, batches: Iterator[Batch], steps: int, decay: float):
        self.module, self.batches, self.mixed = module.train(), batches, bfloat16_pays("cpu")
        self.optimizer = module.make_optimizer()
        self.schedule = module.recipe.schedule(self.optimizer, steps)
        self.average, self.done, self.steps = EMA(decay), 0, steps
        self.average.on_fit_start(cast(Any, None), module)

    def __call__(self) -> float:
        """One step; returns its processor seconds."""
        batch, self.module.progress = next(self.batches), self.done / self.steps
        started = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.mixed):
            loss = self.module.training_step(batch, self.done)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), CLIP_NORM)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.done += 1
        self.average.on_train_batch_end(cast(Any, SimpleNamespace(global_step=self.done)), self.module, None, None, 0)
        return time.process_time() - started


def open_data(tokenizer: Path, shards: Path, batch_size: int) -> TokenDataModule:
    """The tokens of the speedrun's world, made if they are missing."""
    world = yaml.safe_load((CONFIGS / "speedrun_lm.yaml").read_text())["data"]["init_args"]["source"]["init_args"]
    data = TokenDataModule(
        SpriteWorld(**world),
        str(tokenizer),
        str(shards),
        val_source=SpriteWorld(**world | {"seed": 1}),
        num_clips=CLIPS,
        val_clips=HELD_OUT,
        stills=SpriteWorld(**world | {"num_frames": 1, "seed": 2}),
        stills_per_clip=STILLS,
        batch_size=batch_size,
    )
    return prepared(data)


def prepared(data: TokenDataModule) -> TokenDataModule:
    """As Lightning prepares data, for a training without its loop."""
    data.trainer = Trainer(accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    data.prepare_data()
    data.setup("fit")
    return data


def train(name: str, arm: Arm, data: TokenDataModule, seed: int, steps: int) -> Run:
    """A training from random weights that depend on the seed, as the order of the block lengths does."""
    torch.manual_seed(seed)
    module = arm.training_of(data)
    loop = Loop(module, batches(data), steps, arm.decay)
    seconds = sum(loop() for _ in range(steps))
    with loop.average.averaged(module):
        return Run(name, seed, steps, held_out_nats(module), seconds)


def batches(data: TokenDataModule) -> Iterator[Batch]:
    """Endlessly."""
    return chain.from_iterable(data.train_dataloader() for _ in count())


@torch.no_grad()
def held_out_nats(module: ArmTraining) -> dict[str, float]:
    """Nats a token of the held-out clips, by the length of the blocks."""
    module.eval()
    totals = dict.fromkeys(module.blocks.used, 0.0)
    held = list(module.data.val_dataloader())
    for batch in held:
        for name in totals:
            length = module.block_length(name)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_pays("cpu")):
                loss = module.token_loss(module.example(batch, length), length)
            totals[name] += float(loss.nll.float().sum())
    num_tokens = sum(batch["tokens"].numel() for batch in held)
    return {name: total / num_tokens for name, total in totals.items()}
