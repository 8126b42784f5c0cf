"""Checkpoints that are whole or not there: an atomic `CheckpointIO`."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO

from ..data.files import WriteError, replacing
from ..data.reading import parse_json, read_regular, regular_size
from .checkpoint_reader import read_checkpoint
from .entries import entry_of, read_entry, set_aside, sync_folder
from .sharding.parts import is_in_parts, read_manifest, read_parts

Precision = Literal["bf16-mixed", "32-true"]
DECIDED: tuple[Precision, ...] = ("bf16-mixed", "32-true")
"""What `precision: auto` decides between."""
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
            with set_aside(path, folder=False), replacing(path) as temporary:
                with temporary.open("wb") as file:
                    torch.save(checkpoint, file)
                entries = [entry_of(file) for file in (temporary, path) if file.is_file()]
                _write_manifest(path, entries, checkpoint.get("precision"))
            sync_folder(path.parent)
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.__cause__ if isinstance(error, WriteError) else error
            raise CheckpointError(
                f"could not save the checkpoint {path}: {reason}; what was there before is untouched; free some space "
                "or choose a folder that can be written with `--trainer.default_root_dir`"
            ) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The checkpoint at `path`, on the CPU unless `map_location` says otherwise; of one in parts, whole tensors.

        Raises:
            ValueError: If there is none, or it is not what was saved.
        """
        path = Path(path)
        if path.is_dir():
            return self.read_folder(path)
        if not path.exists():
            raise ValueError(f"checkpoint {path} is no file; give the path of one, or start anew without `--ckpt_path`")
        size, entries = regular_size(path), _read_manifest(path)
        other = all(entry["size"] != size for entry in entries) or not zipfile.is_zipfile(path)  # told before all of it is read
        if entries and (other or entry_of(path) not in entries):
            raise ValueError(
                f"checkpoint {path} is damaged: its content is not what its manifest says was saved; take another "
                "checkpoint or start anew without `--ckpt_path`"
            )
        return read_checkpoint(path, map_location)

    def read_folder(self, path: Path) -> dict[str, Any]:
        """The checkpoint in parts at `path`."""
        return read_parts(path)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Removes the checkpoint at `path` and its manifest."""
        path = Path(path)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        manifest_path(path).unlink(missing_ok=True)


def precision_of(path: Path) -> Precision | None:
    """The precision of the run that kept a checkpoint, from its manifest; None if the manifest does not say."""
    try:
        if is_in_parts(path):
            said: object = read_manifest(path).precision
        else:
            said = parse_json(read_regular(manifest_path(path), _LARGEST_MANIFEST)).get("precision")
    except (OSError, ValueError, AttributeError):
        return None
    return next((precision for precision in DECIDED if precision == said), None)


def _write_manifest(path: Path, entries: list[dict[str, Any]], precision: object) -> None:
    """Names the new content and the one before, since either is at `path` if the run is killed right now."""
    with replacing(manifest_path(path)) as temporary:
        temporary.write_text(json.dumps({"format": 1, "precision": precision, "entries": entries}, indent=1))


def _read_manifest(path: Path) -> list[dict[str, Any]]:
    """What may be at `path`, newest first; empty if there is no manifest."""
    manifest = manifest_path(path)
    if not manifest.exists():
        return []
    try:
        entries = parse_json(read_regular(manifest, _LARGEST_MANIFEST))["entries"]
        return [read_entry(entry) for entry in entries]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"manifest {manifest} is damaged ({error}); remove it to load {path.name} unchecked") from error


def manifest_path(path: Path) -> Path:
    """Where the manifest of a checkpoint's file lies."""
    return path.with_name(f"{path.name}.manifest.json")
