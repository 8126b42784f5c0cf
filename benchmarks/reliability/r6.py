"""R6: a run in parts is the run as a whole, bit by bit: weights, averages, optimizer, random state, order of the clips."""

from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any

import torch

from .table import Row
from .trainings import Training, fault, run

_STEPS = 8
_EPOCHS = (
    "--trainer.accumulate_grad_batches=2",
    "--trainer.limit_train_batches=6",
    "--trainer.max_epochs=-1",
    "--trainer.precision=32-true",  # `auto` measures anew in each part, and a busy machine may answer otherwise
)
_STOPS: dict[str, tuple[dict[str, Any], ...]] = {
    "in an epoch": ({"moment": "step", "step": 4},),
    "in an accumulation": ({"moment": "accumulation", "step": 3},),
    "in a validation": ({"moment": "validation", "step": 4},),
    "twice in a row": ({"moment": "accumulation", "step": 2}, {"moment": "step", "step": 5}),
}


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    (tokenizer,) = run(Training(folder / "tokenizer"))
    for kind in ("tokenizer", "lm"):
        for workers in (0, 2):
            options = (*_EPOCHS, f"--data.init_args.num_workers={workers}", "--trainer.val_check_interval=4")
            yield _row(folder, kind, workers, (f"--trainer.max_steps={_STEPS}", *options), tokenizer)


def _row(folder: Path, kind: str, workers: int, options: tuple[str, ...], tokenizer: Training) -> Row:
    if kind == "lm":
        shards = folder / f"tokens {workers}"
        options = (*options, f"--data.init_args.tokenizer={tokenizer.folder / 'bundle'}", f"--data.init_args.shards={shards}")
    config = f"tiny_{'lm' if kind == 'lm' else 'tokenizer'}"
    whole = Training(folder / f"{kind} {workers} whole", *options, config=config, settings=_settings())
    run(whole)  # it makes the shards
    parts = {what: folder / f"{kind} {workers} {what}" for what in _STOPS}
    row = Row(f"R6 resume: {kind}, {workers} workers")
    for what, stopped in _STOPS.items():
        trainings = [Training(parts[what], *options, config=config, settings=_settings(stopped[0]))]
        trainings += [
            Training(parts[what], "--ckpt_path=last", *options, config=config, settings=_settings(stop))
            for stop in (*stopped[1:], None)
        ]
        row.add(what, _try(trainings, whole), max(training.ended - training.started for training in trainings))
    return row


def _settings(stop: dict[str, Any] | None = None) -> dict[str, Any]:
    signals = [fault("SignalAt", number=int(SIGTERM), **stop)] if stop else []
    return {"trainer": {"callbacks": [*signals, fault("Names")]}}


def _try(trainings: list[Training], whole: Training) -> str | None:
    for training in trainings:
        run(training)
        wanted = 0 if training is trainings[-1] else 128 + SIGTERM
        if training.status != wanted:
            return f"ended with {training.statuses}: {training.output[-300:]}"
    if differing := list(_differences(_kept(whole.load()), _kept(trainings[-1].load()))):
        return f"differs in {', '.join(differing[:4])}"
    names = [(training.folder / "names").read_text() for training in (whole, trainings[-1])]
    return None if names[0] == names[1] else "had other clips, or in another order"


def _kept(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """What makes the rest of a run what it is; not where it lies, and how often it was validated."""
    names = ("global_step", "state_dict", "optimizer_states", "lr_schedulers", "random_state")
    data = {name: value for name, value in checkpoint.items() if name.endswith("DataModule")}
    return {**data, **{name: checkpoint[name] for name in names}, "average": checkpoint["callbacks"]["EMA"]}


def _differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """The names of values that are not equal to the last bit."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _differences(one[key], other[key], f"{name}.{key}".lstrip("."))
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(*pair, f"{name}.{index}")
    elif not (torch.equal(one, other) if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) else one == other):
        yield name
