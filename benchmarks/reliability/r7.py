"""R7: SIGTERM and SIGINT at every moment of a training. What was learned is kept, and the exit status is the signal's."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from typing import Any

from framecast.sample import load_bundle

from .table import Row
from .trainings import EVERY_STEP, CommandLine, Training, fault, run, run_all

MOST_SECONDS = 2.0
_SLOW_START = 8.0  # two processes that import everything, and end together
LATE_CLIP = 11  # the sixth batch has it
_MOMENTS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "in a step": ({"moment": "step"}, ()),
    "in an accumulation": ({"moment": "accumulation"}, ("--trainer.accumulate_grad_batches=2",)),
    "in a validation": ({"moment": "validation"}, ()),
    "in a save": ({"moment": "save"}, (EVERY_STEP,)),
    "twice, in a step": ({"moment": "step", "again": True}, (EVERY_STEP,)),
    "twice, in a save": ({"moment": "save", "again": True, "step": 3}, (EVERY_STEP,)),
}


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    (tokenizer,) = run(Training(folder / "tokenizer"))
    bundle = tokenizer.folder / "bundle"
    yield _judge(Row("R7 signals before the first step"), list(_early(folder, bundle)), kept=None)
    yield _judge(Row("R7 signals in a training"), list(_within(folder)), kept=2)
    yield _judge(Row("R7 signals while a worker hangs"), list(_waiting(folder)), kept=5)
    yield _judge(Row("R7 signals in the export"), list(_exporting(folder, bundle)), kept=4)
    yield _judge(Row("R7 signals to ranks of ddp"), list(_ranks(folder)), kept=2)
    yield _judge(Row("R7 the same, processes from nothing"), list(_commands(folder)), kept=2)


def _early(folder: Path, bundle: Path) -> Iterator[Training]:
    for number in (SIGTERM, SIGINT):
        note: dict[str, Any] = {"note": str(folder / f"opening {number}" / "signal"), "number": int(number)}
        yield Training(folder / f"opening {number}", settings=source_settings("OpeningClips", **note))
        note["note"] = str(folder / f"tokenizing {number}" / "signal")
        yield Training(
            folder / f"tokenizing {number}",
            f"--data.init_args.tokenizer={bundle}",
            f"--data.init_args.shards={folder / f'tokenizing {number}' / 'tokens'}",
            config="tiny_lm",
            settings=source_settings("InterruptedClips", data="TokenDataModule", **note),
        )
        yield Training(folder / f"sanity {number}", settings=signal_settings(moment="sanity", number=int(number)))


def _within(folder: Path) -> Iterator[Training]:
    for what, (options, more) in _MOMENTS.items():
        for number in (SIGTERM, SIGINT):
            settings = signal_settings(number=int(number), **options)
            yield Training(folder / f"{what} {number}", "--trainer.max_steps=6", *more, settings=settings)


def _waiting(folder: Path) -> Iterator[Training]:
    for number in (SIGTERM, SIGINT):
        for workers in (1, 2):
            own = folder / f"waiting {workers} {number}"
            settings = source_settings("WaitedForClips", note=str(own / "signal"), number=int(number), bad=LATE_CLIP)
            yield Training(own, f"--data.init_args.num_workers={workers}", "--trainer.max_steps=20", settings=settings)


def _exporting(folder: Path, bundle: Path) -> Iterator[Training]:
    """A signal during the export, which writes over an older bundle."""
    for number in (SIGTERM, SIGINT):
        for after in (0, 1, 3, 6, 9, 10, 11, 12, 13, 15):
            own = folder / f"export {after} {number}"
            shutil.copytree(bundle, own / "bundle")
            yield Training(own, settings=signal_settings(moment="end", number=int(number), step=4, after=after))


_DDP = (
    "--trainer.strategy=ddp",
    "--trainer.precision=32-true",
    "--trainer.accelerator=cpu",
    "--trainer.max_steps=6",
    "--trainer.devices=2",
)


def _ranks(folder: Path) -> Iterator[Training]:
    for number in (SIGTERM, SIGINT):
        for rank in (0, 1):
            for moment in ("step", "validation"):
                settings = signal_settings(moment=moment, number=int(number), rank=rank)
                yield Training(folder / f"rank {rank} {moment} {number}", *_DDP, settings=settings, ranks=2)


def _commands(folder: Path) -> Iterator[Training]:
    """Lightning starts the second process, and ends the first one when the second one ends."""
    for rank, number in ((0, SIGTERM), (1, SIGINT)):
        settings = signal_settings(moment="step", number=int(number), rank=rank)
        yield CommandLine(folder / f"command {rank} {number}", *_DDP, settings=settings)


def _judge(row: Row, trainings: list[Training], kept: int | None) -> Row:
    """Compares status, time, checkpoint and bundle; `kept` is the least step of the checkpoint."""
    run_all(trainings)
    for training in trainings:
        row.add(training.folder.name, problem(training, kept), training.ended - training.noted)
    return row


def problem(training: Training, kept: int | None) -> str | None:
    """What is wrong with how a training ended; its folder's name ends with the number of the signal that came."""
    number = next(number for number in (SIGTERM, SIGINT) if training.folder.name.endswith(f" {int(number)}"))
    seconds = training.ended - training.noted
    if training.status != 128 + number:
        return f"{Signals(number).name} gave {training.statuses}: {training.output[-300:]}"
    if not seconds < MOST_SECONDS + (_SLOW_START if isinstance(training, CommandLine) else 0):
        return f"took {seconds:.1f} s"
    if training.orphans:
        return f"left the processes {training.orphans}"
    if kept is None:
        return "kept a checkpoint of nothing" if training.checkpoint.exists() else None
    if (step := training.load()["global_step"]) < kept:
        return f"kept step {step}; wanted {kept}"
    return _bundle_problem(training)


def _bundle_problem(training: Training) -> str | None:
    """An older bundle is whole; a new one is not there, unless all steps were done. Ctrl-C leaves one of what there is."""
    bundle, so_far = training.folder / "bundle", training.folder / "bundle_so_far"
    if not training.folder.name.startswith("export"):
        if training.folder.name.endswith(f" {int(SIGINT)}"):
            load_bundle(so_far)
        elif so_far.exists():
            return "took the time for a bundle at SIGTERM"
        return "exported an unfinished training" if bundle.exists() else None
    load_bundle(bundle)
    strange = {path.name for path in training.folder.iterdir() if "bundle" in path.name} - {"bundle"}
    return f"left {strange}" if strange else None


def signal_settings(**options: Any) -> dict[str, Any]:
    """Settings with a signal of the training's own."""
    return {"trainer": {"callbacks": [fault("SignalAt", **options)]}}


def source_settings(name: str, data: str = "ClipDataModule", **options: Any) -> dict[str, Any]:
    """Settings with a source of `faults` in the place of the sprite world."""
    sized = {"num_clips": 64, "num_frames": 5, "size": 32, **options}
    return {"data": {"class_path": f"framecast.train.{data}", "init_args": {"source": fault(name, **sized)}}}
