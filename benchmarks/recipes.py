"""The trainings of the shipped configurations as benchmarks run them: their shapes, random weights, made data."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
import yaml

import framecast.train
from framecast.data import SpriteWorld, to_video
from framecast.machine import bfloat16_pays
from framecast.model import VideoLMConfig, VideoLMShape
from framecast.sample import load_bundle
from framecast.tokenizer import TextTokenizer, VideoTokenizer, VideoTokenizerConfig
from framecast.train import EMA, BlockWeights, LitVideoLM, LitVideoTokenizer, ReconstructionLoss, TokenDataModule
from framecast.train.module import TrainingModule

CONFIGS = Path(framecast.train.__file__).parent / "configs"
CLIP_FRAMES, TOKENIZER_BATCH, LM_BATCH, PROMPT = 17, 8, 16, 16
"""Frames of a clip, clips of a step, text ids of a prompt."""
CLIP_NORM = 1.0


@dataclass(frozen=True)
class MadeTokens:
    """What a `TokenDataModule` says of its tokens, of random ones for the shipped model's tokenizers."""

    tokenizer: VideoTokenizer
    text_tokenizer: TextTokenizer
    frame_shape: tuple[int, int]
    pixels_per_token: float

    def lm_config(self, shape: VideoLMShape) -> VideoLMConfig:
        """As of `TokenDataModule`."""
        return VideoLMConfig(
            **asdict(shape),
            codebook_size=self.tokenizer.codebook_size,
            codebook_base=self.tokenizer.codebook_base,
            frame_shape=self.frame_shape,
            text_vocab_size=self.text_tokenizer.vocab_size,
        )

    def batch(self) -> dict[str, Any]:
        """Random tokens with a prompt each."""
        frames = self.tokenizer.num_latent_frames(CLIP_FRAMES)
        return {
            "tokens": torch.randint(self.tokenizer.codebook_size, (LM_BATCH, frames, *self.frame_shape)),
            "ids": torch.randint(self.text_tokenizer.eos_id + 1, self.text_tokenizer.vocab_size, (LM_BATCH, 1, PROMPT)),
            "starts": torch.zeros(LM_BATCH, 1, dtype=torch.int64),
        }


class MadeLMTraining(LitVideoLM):
    """The training of a video LM on made tokens, with a trainer or without.

    By rows and without gaps, so that all steps cost the same.
    """

    def __init__(self, made: MadeTokens, shape: VideoLMShape):
        super().__init__(lm=shape, blocks=BlockWeights(token=0, frame=0), gap_probability=0)
        self.made = made
        self.configure_model()

    @property
    def data(self) -> TokenDataModule:
        return cast(TokenDataModule, self.made)


def arguments(config: str) -> dict[str, Any]:
    """What a shipped configuration says of its model."""
    return yaml.safe_load((CONFIGS / f"{config}.yaml").read_text())["model"]["init_args"]


def tokenizer_training(config: str = "sprites_tokenizer") -> tuple[TrainingModule, dict[str, Any]]:
    """The training of a tokenizer and a batch of sprites."""
    own = arguments(config)
    module = LitVideoTokenizer(VideoTokenizerConfig(**own["tokenizer"]), loss=ReconstructionLoss(**own["loss"]))
    world = SpriteWorld(num_frames=CLIP_FRAMES)
    frames = torch.stack([world[index].frames for index in range(TOKENIZER_BATCH)])
    return module.train(), {"frames": frames, "video": to_video(frames)}


def lm_training(config: str = "sprites_lm") -> tuple[TrainingModule, dict[str, Any]]:
    """The training of a video LM and a batch of random tokens."""
    bundle = load_bundle()
    assert bundle.text_tokenizer is not None
    frame_shape = bundle.tokenizer.frame_shape(bundle.height, bundle.width)
    pixels = CLIP_FRAMES * bundle.height * bundle.width
    per_token = pixels / (bundle.tokenizer.num_latent_frames(CLIP_FRAMES) * frame_shape[0] * frame_shape[1])
    made = MadeTokens(bundle.tokenizer, bundle.text_tokenizer, frame_shape, per_token)
    return MadeLMTraining(made, VideoLMShape(**arguments(config)["lm"])).train(), made.batch()


TRAININGS: dict[str, Callable[..., tuple[TrainingModule, dict[str, Any]]]] = {
    "tokenizer": tokenizer_training,
    "video LM": lm_training,
}
"""What can be trained."""


class LoopByHand:
    """Steps of a training as one would write them without Lightning: autocast if bfloat16 pays, clipping, AdamW, average."""

    def __init__(self, module: TrainingModule, batch: dict[str, Any], device: str = "cpu", mixed: bool | None = None):
        self.module = module.to(device)
        self.batch = {name: value.to(device) for name, value in batch.items()}
        self.device, self.mixed = device, bfloat16_pays(device) if mixed is None else mixed
        self.optimizer = module.make_optimizer()
        self.schedule = module.recipe.schedule(self.optimizer, 10_000)
        self.average = EMA()
        self.average.on_fit_start(cast(Any, None), module)
        self.done = 0

    def __call__(self, steps: int = 1) -> None:
        """Does some steps."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.mixed):
            result: Any = self.module.training_step(self.batch, 0)
        (result["loss"] if isinstance(result, dict) else result).backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.module.parameters() if p.grad is not None])
        if torch.isfinite(norm):
            torch.nn.utils.clip_grads_with_norm_(self.module.parameters(), CLIP_NORM, norm)
            self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.done += 1
        self.average.on_train_batch_end(cast(Any, SimpleNamespace(global_step=self.done)), self.module, None, None, 0)
