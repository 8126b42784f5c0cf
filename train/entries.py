"""What manifests of checkpoints say of files, and files that take the place of others."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def entry_of(path: Path) -> dict[str, Any]:
    """The size and the hash of a file."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def read_entry(entry: Any) -> dict[str, Any]:
    """An entry as a manifest has it, checked: raises ValueError, LookupError or TypeError if it is none."""
    return {"sha256": str(entry["sha256"]), "size": int(entry["size"])}


def sync_folder(path: Path) -> None:
    """Makes new names in a folder last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def set_aside(path: Path, folder: bool) -> Iterator[None]:
    """A file makes room for a folder of its name, or a folder for a file: it is gone at the end, and back if that fails.

    If the process is killed meanwhile, it stays beside, as `last.ckpt.before`.

    Args:
        path: What there will be.
        folder: Whether a folder may stay; if not, a file may.
    """
    before = path.with_name(f"{path.name}.before")
    moved = path.exists() and path.is_dir() != folder
    if moved:
        _remove(before)
        path.rename(before)
    try:
        yield
    except BaseException:
        if moved:
            _remove(path)
            before.rename(path)
        raise
    if moved:
        _remove(before)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
