"""`ProgressLines`: progress for log files, where no bar can be drawn."""

import sys
from typing import Any

import lightning as L


class ProgressLines(L.Callback):
    """Prints a line every `trainer.log_every_n_steps` steps, and after validations, if the output is no terminal."""

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step % trainer.log_every_n_steps == 0:
            _print_line(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            _print_line(trainer)


def _print_line(trainer: L.Trainer) -> None:
    if sys.stdout.isatty() or not trainer.is_global_zero:
        return
    values = (f"{name} {float(value):.4g}" for name, value in trainer.progress_bar_metrics.items() if name != "v_num")
    print(f"step {trainer.global_step}/{trainer.max_steps}", *values, sep="  ", flush=True)
