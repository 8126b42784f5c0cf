"""`ExportBundle`: the end of every training is a bundle that can be sampled from, with no trace of Lightning."""

import time
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch

from ..sample.bundle_folder import check_bundle_folder
from ..sample.settings import as_params
from .card import Terms
from .checkpoint_bundle import BUNDLE_KEY, describe_bundle, given_terms, write_bundle
from .checkpointing import Checkpointing
from .clip_data import ResumableDataModule
from .description import describe_machine, describe_source
from .ema import EMA
from .looks import last_picture
from .module import TrainingModule
from .next_steps import after_training
from .progress import say
from .so_far import remove_so_far

_FIGURES = ("val/", "codebook/")
"""What the metrics begin with that a bundle keeps."""


class ExportBundle(L.Callback):
    """Saves the averaged weights as a bundle when the training is done. A run that is stopped before exports nothing.

    Args:
        folder: Where the bundle goes; None is `bundle/` under `trainer.default_root_dir`.
        card: What the bundle's model card says first, Markdown.
        dtype: Precision of the stored weights; bfloat16 halves the size.
        title: The title of the model card, one line; None names what the bundle was trained on.
        licence: On what terms others may use the bundle: an SPDX identifier such as Apache-2.0, or a text. None says on the card
            that there is none.
        next_steps: Whether the end of the training says what to type next.
        sampling: How tokens are best chosen, such as `{"temperature": 0.7}`: values of `SamplingParams` by name, which hold where
            nobody says otherwise.

    Raises:
        ValueError: Title or licence are empty or too long, or `sampling` has a setting that cannot be.
    """

    def __init__(
        self,
        folder: str | None = None,
        card: str | None = None,
        dtype: Literal["float32", "bfloat16"] = "float32",
        title: str | None = None,
        licence: str | None = None,
        next_steps: bool = True,
        sampling: dict[str, Any] | None = None,
    ):
        self.folder, self.card, self.terms, self.next_steps = folder, card, Terms(title, licence), next_steps
        self.dtype: torch.dtype = getattr(torch, dtype)
        self.sampling = as_params(sampling or {})
        self._before = self._seconds = 0.0
        self._start = time.monotonic()

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Tries whether a bundle can be written there, so that this is known before the training and not after it."""
        if stage == "fit" and trainer.is_global_zero and not trainer.fast_dev_run:
            folder = self.folder_of(trainer)
            if self.folder is None:
                folder.parent.mkdir(parents=True, exist_ok=True)
            check_bundle_folder(folder)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._before, self._start = self._seconds, time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        self._seconds = self._before + time.monotonic() - self._start

    def state_dict(self) -> dict[str, Any]:
        """The seconds of the training so far, which go on when it is resumed."""
        return {"seconds": self._seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        seconds = state_dict.get("seconds")
        if not (isinstance(seconds, float) and 0 <= seconds < float("inf")):
            raise ValueError(f"the training took {seconds!r} seconds; wanted a number of at least 0")
        self._seconds = seconds

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule), pl_module
        if trainer.fast_dev_run:
            return
        folder = self.folder_of(trainer)
        try:
            self.write(folder, trainer, pl_module)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{error}; nothing of the training is lost; make its bundle by "
                f"`framecast export {_last_checkpoint(trainer)} --out FOLDER`"
            ) from error
        if not trainer.is_global_zero:
            return
        remove_so_far(Path(trainer.default_root_dir))
        say(trainer, f"saved the bundle {folder}")
        if self.next_steps:
            say(trainer, *after_training(folder, pl_module, self.terms))

    def folder_of(self, trainer: L.Trainer) -> Path:
        """Where the bundle goes."""
        return Path(self.folder or Path(trainer.default_root_dir) / "bundle")

    def write(self, folder: Path, trainer: L.Trainer, module: TrainingModule) -> None:
        """Writes a bundle of the averaged weights as they are now; process 0 does, and all processes must call this.

        Raises:
            ValueError: The folder cannot be written.
        """
        ema = next(callback for callback in trainer.callbacks if isinstance(callback, EMA))
        with ema.averaged(module):
            network = module.whole_network()
            if trainer.is_global_zero:
                write_bundle(folder, module.bundle(network), **self._about(trainer), dtype=self.dtype)

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Adds what it takes to make a bundle of a checkpoint, see `export_checkpoint`."""
        assert isinstance(pl_module, TrainingModule), pl_module
        checkpoint[BUNDLE_KEY] = describe_bundle(pl_module, {**self._about(trainer), "dtype": str(self.dtype)[6:]})

    def _about(self, trainer: L.Trainer) -> dict[str, Any]:
        """What a bundle says beside its networks: its videos, its training, its card."""
        data = _data(trainer)
        source, metrics = data.source, trainer.callback_metrics
        training = {
            "steps": trainer.global_step,
            "batch_size": data.batch_size * trainer.world_size,
            "source": type(source).__name__,
            "settings": describe_source(source),
            "precision": trainer.precision,
            "num_frames": source.num_frames,
            "metrics": {name: round(float(value), 4) for name, value in metrics.items() if name.startswith(_FIGURES)},
            "data": data.amounts,
            **({"captions": [data.caption]} if data.caption else {}),
            "seconds": round(self._seconds, 1),
            "machine": describe_machine(trainer.strategy.root_device, trainer.world_size),
            **given_terms(self.terms),
        }
        video = {"height": source.height, "width": source.width, "fps": source.fps}
        return {
            "video": video,
            "training": training,
            "card": self.card or "",
            "picture": last_picture(trainer),
            "sampling": self.sampling.values(),
        }


def _last_checkpoint(trainer: L.Trainer) -> str:
    return next((c.last_model_path for c in trainer.callbacks if isinstance(c, Checkpointing)), "") or "CHECKPOINT"


def _data(trainer: L.Trainer) -> ResumableDataModule:
    data: Any = trainer.datamodule
    assert isinstance(data, ResumableDataModule), data
    return data
