"""R5: saves that fail. The run says so and ends with a status, and what was saved before is whole."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from framecast.sample import load_bundle

from .table import Row
from .trainings import EVERY_STEP, Training, fault, run, run_all

KINDS = ("full disk", "no permission", "other device", "read-only", "I/O error", "folder gone")
_REASONS = {
    "full disk": ("No space left",),
    "no permission": ("not permitted", "permission denied"),
    "other device": ("cross-device",),
    "read-only": ("Read-only",),
    "I/O error": ("Input/output error",),
    "folder gone": ("does not exist", "No such file"),
}


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    (sound,) = run(Training(folder / "sound"))
    for moment in ("checkpoint", "bundle"):
        trainings = {kind: _training(folder, kind, moment) for kind in KINDS}
        try:
            for training in trainings.values():
                _prepare(training.folder, moment, sound.folder / "bundle")
            run_all(trainings.values())
            real = sum((training.folder / "real").exists() for training in trainings.values())
            row = Row(f"R5 failed saves of a {moment}, {real} of them real")
            for kind, training in trainings.items():
                row.add(training.folder.name, _problem(training, kind, moment), training.ended - training.started)
        finally:
            for training in trainings.values():
                _release(_place(training.folder, moment))
        yield row


def _place(folder: Path, moment: str) -> Path:
    return folder / ("checkpoints" if moment == "checkpoint" else "place")


def _training(folder: Path, kind: str, moment: str) -> Training:
    own = folder / f"{moment} {kind.replace('/', '-')}"
    place = _place(own, moment)
    failing = fault("FailingSaves", kind=kind, place=str(place), moment=moment)
    return Training(own, f"--export.folder={place / 'bundle'}", EVERY_STEP, settings={"trainer": {"callbacks": [failing]}})


def _prepare(own: Path, moment: str, bundle: Path) -> None:
    """A small file system, if the machine allows one, with an older bundle."""
    place = _place(own, moment)
    place.mkdir()
    if own.name.endswith(("full disk", "read-only")):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True)
    if moment == "bundle":
        shutil.copytree(bundle, place / "bundle")


def _release(place: Path) -> None:
    if place.is_mount():
        subprocess.run(["umount", str(place)], capture_output=True)
    subprocess.run(["chattr", "-i", str(place)], capture_output=True)
    if place.is_dir():
        place.chmod(0o755)


def _problem(training: Training, kind: str, moment: str) -> str | None:
    said = training.output.strip().splitlines()[-1]
    if training.status not in (1, 2):
        return f"ended with {training.statuses}: {said[-300:]}"
    if "Traceback" in training.output or not any(reason.lower() in said.lower() for reason in _REASONS[kind]):
        return f"said {training.output[-600:]}"
    if moment not in said or str(_place(training.folder, moment)) not in said:
        return f"did not name the file: {said}"
    if kind == "folder gone":
        return None
    if moment == "bundle":
        load_bundle(_place(training.folder, moment) / "bundle")
    return None if training.load()["global_step"] >= 2 else "the older checkpoint is gone"
