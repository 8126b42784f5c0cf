"""Checkpoints that are whole or not there: an atomic `CheckpointIO`, and when it is used."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import lightning as L
import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from ..data.reading import parse_json, read_regular, regular_size
from .checkpoint_reader import read_checkpoint
from .ema import EMA
from .stopping import Stopped, StopSignals, end_children

_LARGEST_MANIFEST = 2**16


class CheckpointError(OSError):
    """A checkpoint could not be saved."""


class AtomicCheckpointIO(CheckpointIO):
    """Writes a temporary file beside the old one, syncs it, notes its hash in a manifest, then replaces the old.

    Killed at any moment, it leaves the old checkpoint or the new one, whole. Every failure is an error. Checkpoints
    hold tensors and plain values only, so that loading one cannot run code.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Saves `checkpoint` at `path`; the folder must exist.

        Raises:
            CheckpointError: If it could not be written; what was at `path` before is still there.
        """
        path = Path(path)
        try:
            with _temporary_beside(path) as temporary:
                _write(temporary, lambda file: torch.save(checkpoint, file))
                _write_manifest(path, [_entry(file) for file in (temporary, path) if file.is_file()])
                os.replace(temporary, path)
            _sync_folder(path.parent)
        except (OSError, RuntimeError) as error:
            raise CheckpointError(
                f"could not save the checkpoint {path}: {error}; what was there before is untouched; free some space "
                "or choose a folder that can be written with `--trainer.default_root_dir`"
            ) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The checkpoint at `path`, on the CPU unless `map_location` says otherwise.

        Raises:
            ValueError: If there is none, or it is not what was saved.
        """
        path = Path(path)
        if not path.exists():
            raise ValueError(f"checkpoint {path} is no file; give the path of one, or start anew without `--ckpt_path`")
        size, entries = regular_size(path), _read_manifest(path)
        other = all(entry["size"] != size for entry in entries) or not zipfile.is_zipfile(path)  # told before all of it is read
        if entries and (other or _entry(path) not in entries):
            raise ValueError(
                f"checkpoint {path} is damaged: its content is not what its manifest says was saved; take another "
                "checkpoint or start anew without `--ckpt_path`"
            )
        return read_checkpoint(path, map_location)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Removes the checkpoint at `path` and its manifest."""
        Path(path).unlink(missing_ok=True)
        _manifest_path(Path(path)).unlink(missing_ok=True)


class Checkpointing(ModelCheckpoint):
    """Keeps `last.ckpt` up to date, where `--ckpt_path last` finds it.

    Ctrl-C and SIGTERM end the run after the present step, gradients that are being accumulated included, with a checkpoint of
    it; a validation ends after its present batch. A new run beside an old one writes `last-v1.ckpt` and so on; nothing is
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
            self._between_steps = False
            self.signals.hold()

    def on_validation_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Stops within a validation; what is kept are the weights of the training, not those that are validated."""
        if not trainer.sanity_checking and self._stop_is_agreed(trainer):
            for callback in trainer.callbacks:
                if isinstance(callback, EMA):
                    callback.put_back(trainer.lightning_module)
            self._stop(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        if not trainer.sanity_checking:
            self._leave_step(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The last step is always kept, whatever the interval."""
        self.signals.hold()
        self._save_now(trainer)
        self._between_steps = False
        self.signals.release()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Keeps what was learned where a signal, or a clip that does not come, ends the run between two steps."""
        end_children()
        if isinstance(exception, Stopped) and trainer.global_step:
            exception.add_note(f"at step {trainer.global_step}; go on with --ckpt_path last")
        if self._between_steps and trainer.world_size == 1:
            self._between_steps = False
            self._save_now(trainer)

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
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"checkpoints cannot be written to {folder} ({error}); choose another folder with `--trainer.default_root_dir`"
        ) from error


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """A name in the same folder; what has it at the end is removed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """A file that lies on the disk when this returns."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _write_manifest(path: Path, entries: list[dict[str, Any]]) -> None:
    """Names the new content and the one before, since either is at `path` if the run is killed right now."""
    text = json.dumps({"format": 1, "entries": entries}, indent=1).encode()
    with _temporary_beside(_manifest_path(path)) as temporary:
        _write(temporary, lambda file: file.write(text))
        os.replace(temporary, _manifest_path(path))


def _read_manifest(path: Path) -> list[dict[str, Any]]:
    """What may be at `path`, newest first; empty if there is no manifest."""
    manifest = _manifest_path(path)
    if not manifest.exists():
        return []
    try:
        entries = parse_json(read_regular(manifest, _LARGEST_MANIFEST))["entries"]
        return [{"sha256": str(entry["sha256"]), "size": int(entry["size"])} for entry in entries]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"manifest {manifest} is damaged ({error}); remove it to load {path.name} unchecked") from error


def _manifest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")


def _entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def _sync_folder(folder: Path) -> None:
    """Makes the new name last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
