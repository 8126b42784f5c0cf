"""R9: a process that loads clips raises, dies or hangs. It is named soon, nothing outlives the run, what was learned is kept."""

from collections.abc import Iterator
from pathlib import Path

from .r7 import LATE_CLIP, source_settings
from .table import Row
from .trainings import Training, fault, run, run_all

MOST_SECONDS = 5.0
_NAMED = {
    "RaisingClips": "cannot be loaded in",
    "DyingClips": "DataLoader worker",
    "HangingClips": f"is at clip {LATE_CLIP}",
}


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    (tokenizer,) = run(Training(folder / "tokenizer"))
    trainings = {name: [*_training(folder, name), *_tokenizing(folder, name, tokenizer)] for name in _NAMED}
    run_all((one for some in trainings.values() for one in some), at_once=4)  # most of them wait
    for name, some in trainings.items():
        row = Row(f"R9 workers: {name}")
        for training in some:
            row.add(training.folder.name, _problem(training), training.said - training.noted)
        yield row


def _training(folder: Path, name: str) -> Iterator[Training]:
    for workers in (1, 2):
        own = folder / f"{name} {workers}"
        settings = source_settings(name, note=str(own / "signal"), bad=LATE_CLIP)
        settings["trainer"] = {"callbacks": [fault("Names")]}
        options = (f"--data.init_args.num_workers={workers}", "--trainer.max_steps=20")
        yield Training(own, *options, settings=settings, awaited=_NAMED[name])


def _tokenizing(folder: Path, name: str, tokenizer: Training) -> Iterator[Training]:
    own = folder / f"{name} tokenizing"
    settings = source_settings(name, data="TokenDataModule", note=str(own / "signal"), bad=LATE_CLIP)
    places = (f"--data.init_args.tokenizer={tokenizer.folder / 'bundle'}", f"--data.init_args.shards={own / 'tokens'}")
    yield Training(own, *places, "--data.init_args.num_workers=1", config="tiny_lm", settings=settings, awaited=_NAMED[name])


def _problem(training: Training) -> str | None:
    if training.status != 1:
        return f"ended with {training.statuses}: {training.output[-300:]}"
    if not training.said - training.noted <= MOST_SECONDS:
        return f"named after {training.said - training.noted:.1f} s: {training.output[-300:]}"
    if training.orphans:
        return f"left the processes {training.orphans}"
    if training.folder.name.endswith("tokenizing"):
        return None
    step, begun = training.load()["global_step"], len((training.folder / "names").read_text().splitlines())
    return None if step == begun else f"kept step {step}; wanted {begun}, all that were begun"
