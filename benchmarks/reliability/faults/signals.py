"""Signals, at each moment of a training."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
from torch.utils.data import get_worker_info

_CALLS = {"open", "os.mkdir", "os.rename", "os.chmod", "os.remove", "os.rmdir", "shutil.rmtree"}


def send(note: Path, number: int, again: bool = False) -> None:
    """Notes the time, and sends the training a signal; once, however often it is called."""
    with suppress(FileExistsError), note.open("x") as file:
        file.write(str(time.time()))
        file.flush()
        training = os.getpid() if get_worker_info() is None else os.getppid()
        os.kill(training, number)
        if again:
            time.sleep(0.2)
            os.kill(training, number)


class SignalAt(L.Callback):
    """Sends its own process a signal.

    Args:
        moment: Where in the training: sanity, step, accumulation, validation, save or end.
        number: Which signal.
        step: Not before this step.
        rank: Which of the processes sends it to itself.
        after: How many times files are touched between the moment and the signal.
        again: Whether it is sent a second time, a little later and still at the moment.
    """

    def __init__(self, moment: str, number: int, step: int = 2, rank: int = 0, after: int = 0, again: bool = False):
        self.moment, self.number, self.step, self.rank, self.after, self.again = moment, number, step, rank, after, again

    def on_validation_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("sanity" if trainer.sanity_checking else "validation", trainer)

    def on_before_backward(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("step", trainer)

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx % trainer.accumulate_grad_batches:
            self._reach("accumulation", trainer)

    def on_save_checkpoint(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("save", trainer)

    def on_fit_end(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("end", trainer)

    def _reach(self, moment: str, trainer: L.Trainer) -> None:
        late = moment == "sanity" or trainer.global_step >= self.step
        if moment != self.moment or not late or trainer.global_rank != self.rank:
            return
        arguments = (Path(trainer.default_root_dir) / "signal", self.number, self.again)
        if self.after:
            _count_calls(self.after, arguments)
        else:
            send(*arguments)


def _count_calls(wanted: int, arguments: tuple[Path, int, bool]) -> None:
    """Sends the signal before the so many-th time that this process makes, opens, renames or removes something."""
    calls = 0

    def count(event: str, _: Any) -> None:
        nonlocal calls
        if event in _CALLS and calls < wanted:
            calls += 1
            if calls == wanted:
                send(*arguments)

    sys.addaudithook(count)
