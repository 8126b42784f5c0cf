"""R4: SIGKILL in the middle of saves. A checkpoint is whole after each, and the next save clears what the killed one left."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from framecast.train import AtomicCheckpointIO

from .table import Row

_FORK = multiprocessing.get_context("fork")
_LONGEST = 0.15  # seconds from the first save to the kill: several saves


def rows(folder: Path, count: int = 50) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    row, rng, path = Row("R4 SIGKILL in the middle of saves"), random.Random(0), folder / "last.ckpt"
    _save(path, 0)
    for number in range(count):
        start = time.perf_counter()
        _save_until_killed(path, rng.uniform(0, _LONGEST))
        row.add(f"kill {number}", _problem(path), time.perf_counter() - start)
    yield row


def _save_until_killed(path: Path, seconds: float) -> None:
    read, write = os.pipe()
    saving = _FORK.Process(target=_save_on, args=(path, write))
    saving.start()
    os.read(read, 1)  # it has begun
    time.sleep(seconds)
    os.kill(saving.pid or 0, signal.SIGKILL)
    saving.join()
    os.close(read)
    os.close(write)


def _save_on(path: Path, write: int) -> None:
    os.write(write, b".")
    for step in range(1, 1_000_000):
        _save(path, step)


def _save(path: Path, step: int) -> None:
    AtomicCheckpointIO().save_checkpoint({"step": step, "weight": torch.full((500_000,), float(step))}, path)


def _problem(path: Path) -> str | None:
    try:
        found = AtomicCheckpointIO().load_checkpoint(path)
    except ValueError as error:
        return str(error)
    if not (found["weight"] == found["step"]).all():
        return "it is a mixture"
    _save(path, 0)
    left = {file.name for file in path.parent.iterdir()} - {path.name, f"{path.name}.manifest.json"}
    return f"left {left}" if left else None
