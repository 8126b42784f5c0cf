"""Actions as files hold them: lists in a line of JSON, or a `.npy`, `.npz`, `.csv` or `.parquet` file for each video."""

import csv
import io
import math
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..parquet import read_parquet
from ..reading import read_regular

Numbers = NDArray[np.float64]

REWARD, END = "reward", "end"
"""Columns that are no action."""
_CLOCKS = ("frame", "frame_index", "index", "seconds", "time", "timestamp")  # columns that say when, and are left aside
_LARGEST = 2**30
"""Bytes of a file, and of its numbers once they are unpacked, of which each takes 8."""
_LARGEST_TEXT = 2**26
_SUFFIXES = ".npy, .npz, .csv or .parquet"


_ARRAYS = ("actions", "rewards", "ends")
"""What a `.npz` may hold; others are not unpacked."""


class _TooLarge(ValueError):
    """More than is unpacked."""


@dataclass(frozen=True)
class Table:
    """The rows of one video as they were written: no names, units or alignment are checked yet."""

    actions: Numbers
    """`[N, C]`; NaN is unknown."""
    names: tuple[str, ...] | None = None
    """What the columns are called, if the file says so."""
    rewards: Numbers | None = None
    """`[N]`."""
    ends: Numbers | None = None
    """`[N]`, 0 or 1."""


def read_table(path: Path) -> Table:
    """The actions in a file, with what it says of rewards and ends.

    Raises:
        ValueError: It is of no such kind, too large or damaged.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"got {path.name} as a file of actions; wanted {_SUFFIXES}")
    return reader(path)


def read_numbers(path: Path) -> Numbers:
    """Numbers `[N]` of a `.npy` file, such as rewards.

    Raises:
        ValueError: It holds something else.
    """
    return numbers(_load(path), 1, path.name)


def listed(rows: Sequence[Any]) -> Table:
    """Actions that stand in a line; a row that is null is unknown.

    Raises:
        ValueError: They are no rows of numbers.
    """
    width = next((len(row) for row in rows if isinstance(row, list)), 0)
    return Table(numbers([[None] * width if row is None else row for row in rows], 2, "the rows"))


def numbers(values: object, dimensions: int, what: str) -> Numbers:
    """Any numbers or truth values as float64, nulls as NaN.

    Raises:
        ValueError: They are none, or have another number of dimensions.
    """
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"got {what} that are no numbers, or rows of different lengths; wanted a number for each name"
        ) from error
    if array.ndim != dimensions:
        wanted = "[frames, numbers of an action]" if dimensions == 2 else "[frames]"
        raise ValueError(f"got {what} of shape {list(array.shape)}; wanted {wanted}, a row for each frame of the video")
    return array


def _read_npy(path: Path) -> Table:
    return Table(numbers(_load(path), 2, path.name))


def _read_npz(path: Path) -> Table:
    arrays = _load(path)
    if not isinstance(arrays, dict) or "actions" not in arrays:
        raise ValueError(f"{path.name} has no array `actions`; wanted that, and maybe `rewards` and `ends`")
    rewards, ends = (None if name not in arrays else numbers(arrays[name], 1, name) for name in ("rewards", "ends"))
    return Table(numbers(arrays["actions"], 2, "actions"), None, rewards, ends)


def _load(path: Path) -> Any:
    """An array, or arrays by name; a file can hold nothing that runs."""
    data = read_regular(path, _LARGEST)
    try:
        with io.BytesIO(data) as file:
            _check_unpacked(path.name, file)
            found = np.load(file, allow_pickle=False)
            return found if isinstance(found, np.ndarray) else {name: found[name] for name in _ARRAYS if name in found}
    except _TooLarge:
        raise
    except Exception as error:  # numpy and zipfile raise many kinds for what is no array
        raise ValueError(f"{path.name} holds no arrays of numpy ({error!s:.80}); write it with `numpy.save`") from error


def _check_unpacked(name: str, file: io.BytesIO) -> None:
    """Asks the headers how much would be unpacked: some kilobytes can hold or promise terabytes."""
    if not zipfile.is_zipfile(file):
        file.seek(0)
        size = _promised(file)
        file.seek(0)
    else:
        with zipfile.ZipFile(file) as archive:
            members = [part for part in archive.infolist() if part.filename.removesuffix(".npy") in _ARRAYS]
            size = sum(part.file_size for part in members)
            for part in members if size <= _LARGEST else ():
                with archive.open(part) as member:
                    size = max(size, _promised(member))
        file.seek(0)
    if size > _LARGEST:
        raise _TooLarge(f"{name} has {size} bytes of numbers, unpacked; wanted at most {_LARGEST}; split the video and its rows")


def _promised(file: IO[bytes]) -> int:
    """Bytes that an array takes by its header."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    return math.prod(shape) * max(kind.itemsize, 8)


def _read_csv(path: Path) -> Table:
    try:
        text = read_regular(path, _LARGEST_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table ({error}); wanted numbers with commas between, and no open quotes") from error
    names = [name.strip() for name in header]
    if not names or all(map(_is_number, names)):
        raise ValueError(f"{path.name} begins with no names; wanted a first row such as `steering,throttle`")
    uneven = next((number for number, row in enumerate(rows) if len(row) != len(names)), None)
    if uneven is not None:
        raise ValueError(f"{path.name} has {len(rows[uneven])} values in row {uneven}; wanted {len(names)}, one for each name")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return _of_columns({name: [_cell(cell) for cell in column] for name, column in zip(names, columns, strict=True)}, path)


def _read_parquet(path: Path) -> Table:
    return _of_columns(read_parquet(path), path)


def _of_columns(columns: dict[str, list[Any]], path: Path) -> Table:
    """Actions by name, beside rewards, ends, and clocks."""
    names = tuple(name for name in columns if name not in (REWARD, END, *_CLOCKS))
    if not names:
        raise ValueError(f"{path.name} has no column of an action, but {', '.join(columns)}; wanted a column for each name")
    length = len(columns[names[0]])
    rows = np.stack([numbers(columns[name], 1, f"values of {name!r}") for name in names], axis=1).reshape(length, len(names))
    table = Table(rows, names)
    if REWARD in columns:
        table = replace(table, rewards=numbers(columns[REWARD], 1, f"values of {REWARD!r}"))
    return replace(table, ends=numbers(columns[END], 1, f"values of {END!r}")) if END in columns else table


def _cell(text: str) -> Any:
    """A number, a truth value as spreadsheets write it, or None for an empty cell."""
    text = text.strip()
    return {"": None, "true": 1.0, "false": 0.0}.get(text.lower(), text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


READERS: dict[str, Callable[[Path], Table]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
