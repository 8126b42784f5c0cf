"""What a training notes beside its work, for the trial to read."""

from pathlib import Path
from typing import Any

import lightning as L
import torch


class Unchanged(L.Callback):
    """Notes each step that changed nothing, neither weights nor what the optimizer remembers."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        self._before = _state(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        after = _state(trainer, pl_module)
        if len(after) == len(self._before) and all(map(torch.equal, after, self._before)):
            _append(Path(trainer.default_root_dir) / "unchanged", str(batch_idx))


class Names(L.Callback):
    """Notes which clips each batch of the training has."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        clips = batch["names"] if "names" in batch else [str(batch["tokens"].flatten().tolist())]
        _append(Path(trainer.default_root_dir) / "names", " ".join(clips))


def note_clip(trainer: L.Trainer, name: str) -> None:
    """Notes which clip was spoilt."""
    _append(Path(trainer.default_root_dir) / "spoilt", name)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def _state(trainer: L.Trainer, module: L.LightningModule) -> list[torch.Tensor]:
    moments = [value for o in trainer.optimizers for state in o.state.values() for value in state.values()]
    return [value.clone() for value in (*module.state_dict().values(), *moments)]
