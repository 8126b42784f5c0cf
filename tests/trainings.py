"""Trainings of the tiny configurations, whole and in parts, for tests."""

from pathlib import Path

import lightning as L
import torch
from torch.utils.data import DataLoader

from framecast.tokenizer import FSQ, VideoTokenizerConfig
from framecast.train import AtomicCheckpointIO, LitVideoTokenizer
from framecast.train.cli import main

CONFIGS = Path(__file__).parents[1] / "train" / "configs"


QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false")
TINY = ("fit", "--config", "tiny_tokenizer", "--trainer.max_steps=2", "--trainer.val_check_interval=2", *QUIET)
NETWORK = VideoTokenizerConfig(channels=(8, 8), num_blocks=(1, 1))


def fit(folder: Path, *options: str) -> None:
    """Two steps, unless the options say otherwise."""
    main([*TINY, f"--trainer.default_root_dir={folder}", *options])


def fit_six(folder: Path, *options: str) -> None:
    """Six steps, with a validation after three."""
    fit(folder, "--trainer.max_steps=6", "--trainer.val_check_interval=3", *options)


def last(folder: Path) -> dict:
    """The last checkpoint of a run."""
    return AtomicCheckpointIO().load_checkpoint(folder / "checkpoints" / "last.ckpt")


def module(**options) -> LitVideoTokenizer:
    torch.manual_seed(0)
    return LitVideoTokenizer(NETWORK, FSQ((3, 3)), **options)


def videos(n: int, bad: tuple[int, ...] = ()) -> DataLoader:
    """Batches of one video; in the bad ones a pixel is NaN, which the network cannot foresee."""
    generator = torch.Generator().manual_seed(0)
    batches = [{"video": torch.rand(1, 3, 5, 16, 16, generator=generator) * 2 - 1} for _ in range(n)]
    for i in bad:
        batches[i]["nan"] = torch.tensor(float("nan"))
    return DataLoader(batches, batch_size=None)


class Breakable(LitVideoTokenizer):
    """Its loss is NaN where the batch says so."""

    def training_step(self, batch, batch_idx):
        result = super().training_step(batch, batch_idx)
        return {**result, "loss": result["loss"] * batch.get("nan", 1.0)}


def trainer(tmp_path, steps: int, *callbacks: L.Callback) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu",
        max_steps=steps,
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        log_every_n_steps=1,
        default_root_dir=tmp_path,
    )


class Record(L.Callback):
    """The weights after each step."""

    def __init__(self):
        self.weights = []

    def on_train_batch_end(self, trainer, pl_module, *_):
        self.weights.append(torch.cat([p.detach().flatten() for p in pl_module.network.parameters()]))
