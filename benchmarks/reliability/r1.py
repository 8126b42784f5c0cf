"""R1: nothing runs that was not asked for. Hostile checkpoints, class paths, settings, and files of weights."""

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import torch

from framecast.evaluate.i3d import load_i3d
from framecast.train.perceptual import load_perceptual
from framecast.train.restoring import TrainingCheckpointIO

from . import hostile_checkpoints, hostile_settings
from .table import Attempt, Row, try_apart, try_here
from .trials import Trial


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    trial, sound = _train(folder / "run")
    yield _mark(_settings(trial, folder / "settings"), folder / "settings" / hostile_settings.MARKER)
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    made = list(hostile_checkpoints.make_checkpoints(checkpoints, sound))
    foreign = [(what, path) for what, path in made if what not in hostile_checkpoints.CHANGES]
    row = try_apart(Row("checkpoints: foreign, damaged, hostile"), ((what, _read(path)) for what, path in foreign), ValueError)
    yield _mark(row, checkpoints / hostile_checkpoints.MARKER)
    changed = [(what, path) for what, path in made if what in hostile_checkpoints.CHANGES]
    resumed = ((what, partial(trial.resume, path)) for what, path in changed)
    yield try_here(Row("checkpoints: whole, and wrong inside"), resumed, ValueError)
    yield _weights(folder / "weights")


def _train(folder: Path) -> tuple[Trial, Path]:
    """A training that is ready, and a checkpoint of it."""
    first = Trial(folder, steps=1)
    with redirect_stdout(io.StringIO()):
        first.instantiate_trainer().fit(first.model, first.datamodule)
    sound = folder / "sound.ckpt"
    shutil.copy(folder / "checkpoints" / "last.ckpt", sound)
    return Trial(folder, steps=2), sound


def _settings(trial: Trial, folder: Path) -> Row:
    folder.mkdir()
    hostile_settings.plant(folder)
    sys.path.insert(0, str(folder))
    cases = hostile_settings.make_settings(folder)
    attempts = ((what, partial(trial.parse, options)) for what, options in cases.items())
    return try_here(Row("class paths and settings"), attempts, ValueError)


def _weights(folder: Path) -> Row:
    """Files of I3D and LPIPS that would run code, or are something else."""
    folder.mkdir()
    texts = (b"", b"PK\x03\x04" * 20, b"\x80\x02}.", b"\xff" * 64, b"{}", (2).to_bytes(8, "little") + b"{}")
    for number, data in enumerate(texts):
        (folder / f"{number}.safetensors").write_bytes(data)
    torch.jit.script(_Script()).save(str(folder / "script.pt"))
    (folder / "device").symlink_to("/dev/zero")
    attempts = [
        (f"{reader.__name__} {path.name}", partial(reader, path))
        for path in sorted(folder.iterdir())
        for reader in (load_i3d, load_perceptual)
    ]
    return try_here(Row("weights of I3D and LPIPS"), attempts, ValueError)


class _Script(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _read(path: Path) -> Attempt:
    return lambda: TrainingCheckpointIO().load_checkpoint(path)


def _mark(row: Row, marker: Path) -> Row:
    """None of it counts if any code left a mark."""
    if marker.exists():
        row.passed = 0
        row.wrong.append("code ran")
    return row
