"""`Throughput`: how many frames or tokens a second the training gets through."""

import time
from typing import Any

import lightning as L

from .module import TrainingModule


class Throughput(L.Callback):
    """Logs units per second over all processes, every `trainer.log_every_n_steps` steps; validations do not count."""

    def __init__(self) -> None:
        self._restart()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._restart()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._restart()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, TrainingModule), pl_module
        self._units += pl_module.count(batch) * trainer.world_size
        self._batches += 1
        if trainer.global_step % trainer.log_every_n_steps:
            return
        seconds = time.perf_counter() - self._start
        pl_module.log(f"throughput/{pl_module.unit}_per_second", self._units / seconds)
        pl_module.log("throughput/seconds_per_step", seconds / self._batches)
        self._restart()

    def _restart(self) -> None:
        self._start, self._units, self._batches = time.perf_counter(), 0, 0
