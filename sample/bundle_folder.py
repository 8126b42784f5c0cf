"""The folder of a bundle: which files it has, and how they appear, all of them or none."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

CONFIG, MANIFEST, CARD = "config.json", "manifest.json", "README.md"
TOKENIZER, LM, TEXT = "tokenizer.safetensors", "lm.safetensors", "text.model"
NAMES = {CONFIG, MANIFEST, CARD, TOKENIZER, LM, TEXT}
_LEFT_BY_FILE_MANAGERS = {".DS_Store", "Thumbs.db", "desktop.ini", ".directory"}


def check_bundle_folder(folder: Path) -> None:
    """Tries whether a bundle can be written there, before the work whose result it is.

    Raises:
        ValueError: The folder above is missing or may not be written, the name cannot be one, or something else is there.
    """
    if not folder.parent.is_dir():
        raise ValueError(f"cannot write the bundle {folder}: the folder {folder.parent} does not exist; make it first")
    try:
        if folder.exists() and not _is_bundle(folder):
            raise ValueError(f"cannot write the bundle {folder}: something that is no bundle is there; name another folder")
        _make_temporary(folder).rmdir()
        if not folder.exists():
            folder.mkdir()
            folder.rmdir()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"cannot write the bundle {folder} ({reason}); name a folder that can be written") from error


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files into a folder that appears whole, in the place of an older one."""
    temporary = _make_temporary(folder)
    try:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _make_temporary(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=".bundle.", dir=folder.parent))


def _is_bundle(folder: Path) -> bool:
    """Whether it holds a bundle, and beside it no more than what a file manager leaves."""
    if not folder.is_dir():
        return False
    names = {file.name for file in folder.iterdir()} - _LEFT_BY_FILE_MANAGERS
    return CONFIG in names and names <= NAMES


def _put_in_place(new: Path, folder: Path) -> None:
    """Renames `new` to `folder`; an older bundle there is whole until then, and back if it fails."""
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_name(f"{new.name}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
