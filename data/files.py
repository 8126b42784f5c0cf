"""Files that appear whole or not at all, and errors that name the file."""

import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
_NUMBERS = count()
_in_use: set[Path] = set()


class WriteError(OSError, ValueError):
    """A file that cannot be written; the message names it, and says why and what to do."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; on success it becomes `path`, on failure it is removed.

    What earlier attempts left is removed too, if their process on this machine has ended.

    Args:
        path: Where the finished file shall be; an older file there stays until the new one is whole.

    Raises:
        ValueError: If the folder of `path` does not exist.
        WriteError: If the file cannot be written; both a `ValueError` and an `OSError`.
    """
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    _remove_left_over(path)
    with _temporary_beside(path) as temporary, naming(path):
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder beside `path`; on success it becomes `path`, on failure it is removed.

    An older folder there is whole until the new one takes its place. If that fails, the older one comes back. If the process is
    killed between the two, the older folder stays beside until the next folder of that name is written.

    Args:
        path: Where the finished folder shall be.

    Raises:
        WriteError: If it cannot be written.
    """
    with _temporary_beside(path) as new, _temporary_beside(path) as old, naming(path):
        new.mkdir()
        yield new
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        finally:
            if old.exists() and not path.exists():
                old.rename(path)
    _remove_left_over(path)


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """A name in the same folder, as short and as plain for any `path`; what has it at the end is removed."""
    temporary = path.with_name(f".{_key(path)}.{_HOST}.{os.getpid()}.{next(_NUMBERS)}.tmp")
    _in_use.add(temporary)
    try:
        yield temporary
    finally:
        _in_use.discard(temporary)
        try:
            _remove(temporary)
        finally:
            _remove(temporary)  # once more, if a signal has come in the middle of it


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turns the errors of the system while a file is written into one that names the file.

    Raises:
        WriteError: In place of any other `OSError` but a `BrokenPipeError`.
    """
    try:
        yield
    except (WriteError, BrokenPipeError):  # the reader of a pipe went away: no failure of the file
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(
            f"cannot write {path}: {reason}; check the room, the rights and the name, or choose another place"
        ) from error


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]


def _remove_left_over(path: Path) -> None:
    """Removes what processes that have ended wrote for `path`."""
    own = f".{_key(path)}.{_HOST}"
    for found in path.parent.glob(f"{own}.*.tmp"):
        process = re.fullmatch(rf"{re.escape(own)}\.(\d+)\.\d+\.tmp", found.name)
        if process and found not in _in_use and not _is_running(int(process[1])):
            _remove(found)


def _remove(path: Path) -> None:
    """Removes a file or a folder, if it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_running(process: int) -> bool:
    if process == os.getpid():
        return False  # a file that is not in use is of an earlier process of that number
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        pass
    return True
