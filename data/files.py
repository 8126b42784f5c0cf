"""Files that appear whole or not at all, and errors that name the file."""

import hashlib
import os
import re
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

    What is left of earlier attempts is removed too, where their process on this machine has ended.

    Args:
        path: Where the finished file shall be; an older file there stays until the new one is whole.

    Raises:
        ValueError: If the folder of `path` does not exist.
        WriteError: If the file cannot be written; both a `ValueError` and an `OSError`.
    """
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    key = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]  # as short and as plain for any name
    _remove_left_over(path.parent, key)
    temporary = path.with_name(f".{key}.{_HOST}.{os.getpid()}.{next(_NUMBERS)}.tmp")
    _in_use.add(temporary)
    try:
        with naming(path):
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        _in_use.discard(temporary)
        with suppress(OSError):
            temporary.unlink()


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


def _remove_left_over(folder: Path, key: str) -> None:
    """Removes temporary files of processes that have ended."""
    for found in folder.glob(f".{key}.{_HOST}.*.tmp"):
        process = re.fullmatch(rf"\.{key}\.{_HOST}\.(\d+)\.\d+\.tmp", found.name)
        if process and found not in _in_use and not _is_running(int(process[1])):
            with suppress(OSError):
                found.unlink()


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
