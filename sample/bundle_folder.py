"""The folder of a bundle: which files it has, and whether it can be written."""

import tempfile
from pathlib import Path

CONFIG, MANIFEST, CARD, PICTURE = "config.json", "manifest.json", "README.md", "picture.jpg"
TOKENIZER, LM, TEXT = "tokenizer.safetensors", "lm.safetensors", "text.model"
STARTS = "starts.safetensors"
NAMES = {CONFIG, MANIFEST, CARD, PICTURE, TOKENIZER, LM, TEXT, STARTS}
MAX_PICTURE = 200_000
"""Bytes of the picture of a card, at most."""
_LEFT_BY_FILE_MANAGERS = {".DS_Store", "Thumbs.db", "desktop.ini", ".directory"}


def check_bundle_folder(folder: Path) -> None:
    """Tries whether a bundle can be written there, before the work whose result it is.

    Raises:
        ValueError: The folder above is missing or may not be written, the name cannot be one, or something else is there.
    """
    if not folder.parent.is_dir():
        raise ValueError(f"cannot write the bundle {folder}: the folder {folder.parent} does not exist; make it first")
    try:
        if folder.exists() and not is_bundle(folder):
            raise ValueError(f"cannot write the bundle {folder}: something that is no bundle is there; name another folder")
        with tempfile.TemporaryDirectory(dir=folder.parent):
            pass
        if not folder.exists():
            folder.mkdir()
            folder.rmdir()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"cannot write the bundle {folder} ({reason}); name a folder that can be written") from error


def is_bundle(folder: Path) -> bool:
    """Whether it holds a bundle, and beside it no more than what a file manager leaves."""
    if not folder.is_dir():
        return False
    names = {file.name for file in folder.iterdir()} - _LEFT_BY_FILE_MANAGERS
    return CONFIG in names and names <= NAMES
