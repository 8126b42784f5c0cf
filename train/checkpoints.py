"""Checkpoints that are whole or not there: an atomic `CheckpointIO`."""

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO

from ..data.files import WriteError, replacing
from ..data.reading import parse_json, read_regular, regular_size
from .checkpoint_reader import read_checkpoint

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
            with replacing(path) as temporary:
                with temporary.open("wb") as file:
                    torch.save(checkpoint, file)
                entries = [_entry(file) for file in (temporary, path) if file.is_file()]
                _write_manifest(path, entries, checkpoint.get("precision"))
            _sync_folder(path.parent)
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.__cause__ if isinstance(error, WriteError) else error
            raise CheckpointError(
                f"could not save the checkpoint {path}: {reason}; what was there before is untouched; free some space "
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


def precision_of(path: Path) -> Precision | None:
    """The precision of the run that kept a checkpoint, from its manifest; None if the manifest does not say."""
    try:
        said = parse_json(read_regular(_manifest_path(path), _LARGEST_MANIFEST)).get("precision")
    except (OSError, ValueError, AttributeError):
        return None
    return next((precision for precision in DECIDED if precision == said), None)


def _write_manifest(path: Path, entries: list[dict[str, Any]], precision: object) -> None:
    """Names the new content and the one before, since either is at `path` if the run is killed right now."""
    with replacing(_manifest_path(path)) as temporary:
        temporary.write_text(json.dumps({"format": 1, "precision": precision, "entries": entries}, indent=1))


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
