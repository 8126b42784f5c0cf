"""How far a training is: one line on a terminal, lines in a log file, and nothing that is silent for long."""

import time
from datetime import datetime, timedelta
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import CustomBarColumn
from rich import get_console
from rich.progress import ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from .heartbeat import Heartbeat
from .module import TrainingModule

_OFTEN, _SELDOM, _AT_FIRST = 10.0, 60.0, 600.0  # seconds from line to line; how long they come often
_BAR, _BESIDE_METRICS = 10, 49  # columns of the bar, and of all but the metrics and the steps
_METRICS = ("loss", "nats", "val_psnr", "val_row", "val_token", "val_frame", "psnr", "usage")
"""What is shown while a training runs, as far as it fits."""


def has_screen() -> bool:
    """Whether something can be drawn again and again: a terminal, or the output of a cell."""
    console = get_console()
    return console.is_interactive or console.is_jupyter


def say(trainer: L.Trainer, *lines: str, only_in_files: bool = False) -> None:
    """Prints lines, once for all processes; above the bar, if there is one."""
    if trainer.is_global_zero and not (only_in_files and has_screen()):
        for line in lines:
            print(line, flush=True)


class ProgressBar(RichProgressBar):
    """A bar of one line that fits 80 columns: steps done of all, speed, time left, and the loss.

    Options are those of Lightning's `RichProgressBar`. Without a terminal there is no bar: see `ProgressLines`.
    """

    @property
    def is_enabled(self) -> bool:
        return super().is_enabled and has_screen()

    @property
    def total_train_batches(self) -> int | float:
        """Steps of the whole training; Lightning would count the batches of an epoch."""
        return self.trainer.max_steps if self.trainer.max_steps > 0 else super().total_train_batches

    def configure_columns(self, trainer: L.Trainer) -> list:
        style = self.theme
        bar = CustomBarColumn(_BAR, style.progress_bar, style.progress_bar, style.progress_bar_finished)
        return [TextColumn("{task.description}", table_column=Column(no_wrap=True)), bar, _Steps(), _Times()]

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The bar of the training stays from epoch to epoch."""
        if self.is_enabled and self.progress is not None and self.train_progress_bar_id is None:
            self._initialize_train_progress_bar_id()

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *given: Any) -> None:
        super().on_train_batch_end(trainer, pl_module, *given)
        self._update(self.train_progress_bar_id, trainer.global_step)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """What is said from here on stands below the bar."""
        self._stop_progress()

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """As many as fit beside the bar."""
        found = super().get_metrics(trainer, pl_module)
        room = get_console().width - _BESIDE_METRICS - 2 * len(str(trainer.max_steps))
        shown: dict[str, Any] = {}
        for name in (name for name in _METRICS if name in found):
            room -= len(f" {name}: {found[name]:.3f}")
            if room < 0:
                break
            shown[name] = found[name]
        return shown

    def _initialize_train_progress_bar_id(self) -> None:
        super()._initialize_train_progress_bar_id()
        self._update(self.train_progress_bar_id, self.trainer.global_step)

    def _get_train_description(self, current_epoch: int) -> str:
        return "training"

    def _update(self, progress_bar_id: Any, current: int, visible: bool = True, hard: bool = False) -> None:
        if progress_bar_id is not None and progress_bar_id == self.train_progress_bar_id:
            current = self.trainer.global_step
        super()._update(progress_bar_id, current, visible, hard)


class _Steps(ProgressColumn):
    """Steps done of all, such as 120/600."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:.0f}/{task.total:.0f}" if task.total is not None else f"{task.completed:.0f}")


class _Times(ProgressColumn):
    """Speed and time left, such as 3.1/s 2:35 left."""

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        left = task.time_remaining
        if not task.speed or left is None:
            return Text("-:-- left", style="dim")
        return Text(f"{speed_in_words(task.speed)} {timedelta(seconds=int(left))} left", style="dim")


class ProgressLines(L.Callback):
    """Lines for log files, if the output is no terminal: at the first step, after validations, at the end, and in between.

    In the first ten minutes a line comes every ten seconds, and later every minute. If nothing else is said for ten seconds, a
    line says what the training is at.
    """

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()
        """Speaks in silences; the command line puts its own here."""
        self._begun = self._last = self._timed_from = time.monotonic()
        self._first_step = 0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Says how large the network is and where it is trained."""
        assert isinstance(pl_module, TrainingModule), pl_module
        parameters = sum(p.numel() for p in pl_module.parameters() if p.requires_grad)
        say(trainer, f"{pl_module.what}: {parameters:,} parameters, {trainer.max_steps:,} steps on {pl_module.device}")

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.heartbeat.at("trying a validation")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._begun = self._last = self._timed_from = time.monotonic()
        self._first_step = trainer.global_step
        self.heartbeat.at("training", has_bar=has_screen())

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        now = time.monotonic()
        pause = _OFTEN if now - self._begun < _AT_FIRST else _SELDOM
        self.heartbeat.at("in a step of the training", has_bar=has_screen())
        if trainer.global_step in (self._first_step + 1, trainer.max_steps) or now - self._last >= pause:
            self._say(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.heartbeat.at("validating", has_bar=has_screen())

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self._say(trainer)
            self.heartbeat.at("training", has_bar=has_screen())

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.heartbeat.at("saving")

    def _say(self, trainer: L.Trainer) -> None:
        self._last = time.monotonic()
        done, left = trainer.global_step - self._first_step - 1, trainer.max_steps - trainer.global_step
        seconds = self._last - self._timed_from
        if done == 0:
            self._timed_from = self._last  # the first step prepares much, and says little about the others
        values = [f"{name} {float(value):.4g}" for name, value in trainer.progress_bar_metrics.items() if name in _METRICS]
        if done > 0 and left > 0:
            values.append(f"{speed_in_words(done / seconds)}  {when_done(seconds / done * left)}")
        say(trainer, "  ".join([f"step {trainer.global_step}/{trainer.max_steps}", *values]), only_in_files=True)
        self.heartbeat.heard()


def speed_in_words(steps_per_second: float) -> str:
    """Steps per second, or if that is less than one, seconds per step."""
    if steps_per_second >= 1:
        return f"{steps_per_second:.3g}/s"
    return f"{1 / steps_per_second:.3g} s/step"


def when_done(seconds: float) -> str:
    """The time left and the time of day at the end, such as "0:12:05 left, done at 14:32"."""
    end = datetime.now() + timedelta(seconds=seconds)
    day = "" if end.date() == datetime.now().date() else f"{end:%a %d %b} "
    return f"{timedelta(seconds=int(seconds))} left, done at {day}{end:%H:%M}"
