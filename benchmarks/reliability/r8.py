"""R8: values that are not finite. No step and no checkpoint is made of them, the clip is named, and the run goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from .table import Row
from .trainings import Training, fault, run_all

_VALUES = (float("nan"), float("inf"))
_QUANTIZERS = {
    "FSQ": {"levels": [5, 5, 5]},
    "LFQ": {"num_bits": 6},
    "VQ": {"codebook_size": 16, "dim": 4},
}


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    whole = list(_spoilt(folder))
    endless = [_training(folder / f"endless {value}", **_batches(value, count=20)) for value in _VALUES]
    run_all(whole + endless)
    for value in _VALUES:
        row = Row(f"R8 {value} in batch, loss, gradient, latents")
        for training in whole:
            if training.folder.name.endswith(str(value)):
                row.add(training.folder.name, _problem(training), training.ended - training.started)
        yield row
    row = Row("R8 values that are not finite in ten steps in a row")
    for training in endless:
        row.add(training.folder.name, _problem_of_endless(training), training.ended - training.started)
    yield row


def _spoilt(folder: Path) -> Iterator[Training]:
    """One step of each is spoilt, the third."""
    for value in _VALUES:
        loss = {"class_path": fault("SpoiltLoss" if value != value else "InfiniteLoss")["class_path"]}
        yield _training(folder / f"batch {value}", **_batches(value))
        yield _training(folder / f"loss {value}", model=loss)
        yield _training(folder / f"gradient {value}", callback=fault("SpoiltGradient", value=value))
        for name, options in _QUANTIZERS.items():
            quantizer = {"class_path": f"framecast.tokenizer.{name}", "init_args": options}
            model = {"init_args": {"quantizer": quantizer}}
            yield _training(folder / f"latents of {name} {value}", callback=fault("SpoiltLatents", value=value), model=model)


def _batches(value: float, count: int = 1) -> dict[str, Any]:
    source = {"class_path": "framecast.data.SpriteWorld", "init_args": {"num_clips": 64, "num_frames": 5, "size": 32}}
    return {"data": fault("SpoiltBatches", value=value, count=count, source=source)}


def _training(folder: Path, callback: dict[str, Any] | None = None, **parts: Any) -> Training:
    callbacks = [fault("Unchanged"), *([callback] if callback else [])]
    return Training(folder, "--trainer.max_steps=20", settings={"trainer": {"callbacks": callbacks}, **parts})


def _problem(training: Training) -> str | None:
    if training.status != 0:
        return f"ended with {training.statuses}: {training.output[-300:]}"
    if (changed := _read(training, "unchanged")) != ["2"]:
        return f"the steps that changed nothing are {changed}; wanted the third"
    clips = _read(training, "spoilt")
    if not clips or (f"this batch ({clips[0]}) changes nothing" not in training.output and clips[0]):
        return f"did not name the clip {clips}: {training.output[-300:]}"
    if "is not finite; this batch" not in training.output:
        return "said nothing"
    return _checkpoint_problem(training, 20)


def _problem_of_endless(training: Training) -> str | None:
    if training.status != 1 or "for 10 steps in a row" not in training.output:
        return f"ended with {training.statuses}: {training.output[-300:]}"
    if (changed := _read(training, "unchanged"))[:9] != [str(2 + step) for step in range(9)]:
        return f"the steps that changed nothing are {changed}"
    return _checkpoint_problem(training, 11)


def _checkpoint_problem(training: Training, step: int) -> str | None:
    checkpoint = training.load()
    averages = checkpoint["callbacks"]["EMA"]["average"]
    values = (*checkpoint["state_dict"].values(), *averages.values())
    if not all(torch.isfinite(value).all() for value in values):
        return "kept values that are not finite"
    return None if checkpoint["global_step"] >= step else f"kept step {checkpoint['global_step']}; wanted {step}"


def _read(training: Training, name: str) -> list[str]:
    path = training.folder / name
    return path.read_text().splitlines() if path.exists() else []
