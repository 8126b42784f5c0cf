"""`ExportBundle`: the end of every training is a bundle that can be sampled from, with no trace of Lightning."""

from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch

from ..sample import save_bundle
from ..sample.bundle_folder import check_bundle_folder
from .checkpoint_bundle import BUNDLE_KEY, describe_bundle
from .checkpointing import Checkpointing
from .clip_data import ResumableDataModule
from .ema import EMA
from .module import TrainingModule
from .tokenize import describe_source


class ExportBundle(L.Callback):
    """Saves the averaged weights as a bundle when the training is done. A run that is stopped before exports nothing.

    Args:
        folder: Where the bundle goes; None is `bundle/` under `trainer.default_root_dir`.
        card: What the bundle's model card says first, Markdown; None is one sentence on the data.
        dtype: Precision of the stored weights; bfloat16 halves the size.
    """

    def __init__(
        self,
        folder: str | None = None,
        card: str | None = None,
        dtype: Literal["float32", "bfloat16"] = "float32",
    ):
        self.folder, self.card = folder, card
        self.dtype: torch.dtype = getattr(torch, dtype)

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Tries whether a bundle can be written there, so that this is known before the training and not after it."""
        if stage == "fit" and trainer.is_global_zero and not trainer.fast_dev_run:
            folder = self._folder(trainer)
            if self.folder is None:
                folder.parent.mkdir(parents=True, exist_ok=True)
            check_bundle_folder(folder)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule), pl_module
        if trainer.fast_dev_run or not trainer.is_global_zero:
            return
        folder = self._folder(trainer)
        ema = next(callback for callback in trainer.callbacks if isinstance(callback, EMA))
        try:
            with ema.averaged(pl_module):
                self._save(folder, trainer, pl_module)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{error}; nothing of the training is lost; make its bundle by "
                f"`framecast export {_last_checkpoint(trainer)} --out FOLDER`"
            ) from error
        print(f"saved the bundle {folder}")

    def _folder(self, trainer: L.Trainer) -> Path:
        return Path(self.folder or Path(trainer.default_root_dir) / "bundle")

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Adds what it takes to make a bundle of a checkpoint, see `export_checkpoint`."""
        assert isinstance(pl_module, TrainingModule), pl_module
        checkpoint[BUNDLE_KEY] = describe_bundle(pl_module, {**self._about(trainer), "dtype": str(self.dtype)[6:]})

    def _save(self, folder: Path, trainer: L.Trainer, module: TrainingModule) -> None:
        save_bundle(folder, **module.bundle(), **self._about(trainer), dtype=self.dtype)

    def _about(self, trainer: L.Trainer) -> dict[str, Any]:
        """What a bundle says beside its networks: its videos, its training, its card."""
        source = _data(trainer).source
        metrics = trainer.callback_metrics
        training = {
            "steps": trainer.global_step,
            "batch_size": _data(trainer).batch_size * trainer.world_size,
            "source": type(source).__name__,
            "settings": describe_source(source),
            "precision": trainer.precision,
            "num_frames": source.num_frames,
            "metrics": {name: round(float(value), 4) for name, value in metrics.items() if name.startswith("val/")},
        }
        video = {"height": source.height, "width": source.width, "fps": source.fps}
        card = self.card or f"Trained with `framecast train` on {len(source):,} clips of {training['source']}."
        return {"video": video, "training": training, "card": card}


def _last_checkpoint(trainer: L.Trainer) -> str:
    return next((c.last_model_path for c in trainer.callbacks if isinstance(c, Checkpointing)), "") or "CHECKPOINT"


def _data(trainer: L.Trainer) -> ResumableDataModule:
    data: Any = trainer.datamodule
    assert isinstance(data, ResumableDataModule), data
    return data
