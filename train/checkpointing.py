"""`Checkpointing`: when a training is kept, also when it is stopped."""

import signal
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from .ema import EMA
from .module import TrainingModule
from .next_steps import look_at
from .so_far import write_so_far
from .stopping import Stopped, StopSignals, end_children


class Checkpointing(ModelCheckpoint):
    """Keeps `last.ckpt` up to date, where `--ckpt_path last` finds it.

    Ctrl-C and SIGTERM end the run after the present step, with a checkpoint of it; gradients that are being accumulated are
    included. A validation ends after its present batch. A new run beside an old one writes `last-v1.ckpt` and so on; nothing is
    overwritten but a run's own checkpoint.

    Args:
        dirpath: The folder; on the command line always `checkpoints/` under `trainer.default_root_dir`.
        every_n_train_steps: Steps from one checkpoint to the next.
    """

    def __init__(self, dirpath: str, every_n_train_steps: int = 250):
        super().__init__(dirpath, every_n_train_steps=every_n_train_steps, save_last=True, save_top_k=0)
        self.signals = StopSignals()
        """Who tells of signals; the command line puts its own here."""
        self._between_steps = False

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Makes the folder, so that an unwritable one is known before the training and not after it."""
        if stage == "fit" and trainer.is_global_zero and not trainer.fast_dev_run:
            _check_writable(Path(str(self.dirpath)))
        super().setup(trainer, pl_module, stage)

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.signals.install()  # Lightning has put its own handlers before them

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        self.signals.install()
        self._leave_step(trainer)

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self._between_steps = False
        self.signals.hold()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self._leave_step(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.signals.hold()

    def on_validation_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if not trainer.sanity_checking and self._stop_is_agreed(trainer):
            self._stop(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        if not trainer.sanity_checking:
            self._leave_step(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The last step is always kept, whatever the interval."""
        self.signals.hold()
        self._last_global_step_saved = 0  # saved again, with the figures of a validation that came after the last step
        self._save_now(trainer)
        self._between_steps = False
        self.signals.release()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Keeps what was learned if a signal, or a clip that does not come, ends the run between steps or in a validation."""
        end_children()
        if self._between_steps and trainer.world_size == 1:
            self._between_steps = False
            self._save_now(trainer)
        if isinstance(exception, Stopped) and self.last_model_path:
            exception.add_note(f"at step {trainer.global_step}; go on with --ckpt_path last; {self._bundle(trainer, exception)}")

    def _bundle(self, trainer: L.Trainer, stop: Stopped) -> str:
        """What there is of a bundle; after Ctrl-C one is made, since somebody sits there, and after SIGTERM there is no time."""
        module = trainer.lightning_module
        unfinished = trainer.is_global_zero and 0 < trainer.global_step < trainer.max_steps
        if stop.number == signal.SIGINT and unfinished and isinstance(module, TrainingModule):
            folder = write_so_far(Path(trainer.default_root_dir), self.last_model_path)
            if folder is not None:
                return f"a bundle of what there is: {folder}; look at it with `{next(look_at(folder, module))}`"
        return f"`framecast export {self.last_model_path} --out FOLDER` makes a bundle of what there is"

    def _leave_step(self, trainer: L.Trainer) -> None:
        """Between two steps nothing is lost; one process alone may stop there at any moment, several must agree."""
        if self._stop_is_agreed(trainer):
            self._stop(trainer)
        self._between_steps = True
        if trainer.world_size == 1:
            self.signals.release()

    def _stop_is_agreed(self, trainer: L.Trainer) -> bool:
        """Whether a signal has come to one of the processes; then all of them know its number."""
        number = self.signals.number or 0
        if trainer.world_size > 1:
            number = int(trainer.strategy.reduce(torch.tensor(number, device=trainer.strategy.root_device), reduce_op="max"))
        self.signals.number = number or None
        return number > 0

    def _stop(self, trainer: L.Trainer) -> NoReturn:
        self._save_now(trainer)
        self.signals.release()
        raise AssertionError("a signal was agreed on")

    def _save_now(self, trainer: L.Trainer) -> None:
        """Within a validation, too, the weights of the training are kept, and not those that are validated."""
        for callback in trainer.callbacks:
            if isinstance(callback, EMA):
                callback.put_back(trainer.lightning_module)
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))


def is_stopping(trainer: L.Trainer) -> bool:
    """Whether a signal has come that will end the run soon, so that long work is left."""
    return any(isinstance(callback, Checkpointing) and callback.signals.number is not None for callback in trainer.callbacks)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"checkpoints cannot be written to {folder} ({error}); choose another folder with `--trainer.default_root_dir`"
        ) from error
