"""Files that were made elsewhere: kind and size of a file are asked before a byte of the file is read.

A link to a device, a pipe without a writer or a file of holes would otherwise fill the memory or never end.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_MAX_DEPTH = 64


def regular_size(path: str | Path) -> int:
    """Bytes of the regular file at `path`, after links; nothing is opened.

    Raises:
        ValueError: There is nothing, or a folder, device, pipe or socket.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(f"{path} cannot be read ({reason}); check the path") from error
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        raise ValueError(f"{path} is {kind}; wanted a regular file; copy its content into one")
    return status.st_size


def read_regular(path: str | Path, most: int) -> bytes:
    """The content of the regular file at `path`, of at most `most` bytes.

    Raises:
        ValueError: It is no regular file, or larger, or cannot be read.
    """
    size = regular_size(path)
    if size > most:
        raise ValueError(f"{path} has {size} bytes; wanted at most {most}; it is damaged or something else")
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if len(data) != size:
        raise ValueError(f"{path} changed while it was read; wait until it is written, then read it again")
    return data


def parse_json(data: bytes | str) -> Any:
    """What JSON says, if it means one thing: no name twice, no nesting without end.

    Raises:
        ValueError: It is no such JSON.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise ValueError(f"JSON nested deeper than {_MAX_DEPTH}") from error
    _check_depth(value)
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"JSON with the name {name[:40]!r} twice")
        found[name] = value
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise ValueError(f"JSON nested deeper than {_MAX_DEPTH}")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
