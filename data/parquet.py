"""Parquet files in and out: the one place of pyarrow, which comes with the extra `worlds`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .files import replacing
from .reading import regular_size

LARGEST = 2**31
_MOST_ROWS, _MOST_VALUES = 2**24, 2**26
_PANDAS = "pandas"


class _TooMany(ValueError):
    """More than is read."""


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> dict[str, list[Any]]:
    """The columns of a file as plain values; an index that pandas wrote is a column too.

    Args:
        path: A regular file.
        columns: Which columns are wanted; those that the file has not are left out. None takes all.

    Raises:
        ValueError: pyarrow is missing, or the file is none, too large or damaged.
    """
    arrow, parquet = _pyarrow()
    size = regular_size(path)
    if size > LARGEST:
        raise ValueError(f"{path} has {size} bytes; wanted at most {LARGEST}; split it")
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = names if columns is None else [name for name in columns if name in names]
            _check_count(path, file.metadata, wanted)
            table = file.read(columns=wanted)
            return {name: column.to_pylist() for name, column in zip(table.column_names, table.columns, strict=True)}
    except _TooMany:
        raise
    except (OSError, ValueError, LookupError, MemoryError, arrow.ArrowException) as error:
        raise ValueError(f"{path} is no parquet file that can be read ({error!s:.120}); write it again") from error


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str], index: str | None = None) -> None:
    """Writes columns to a file, which appears whole or not at all.

    Args:
        path: The file; its folder must exist.
        columns: The values by name, all of one length.
        types: Arrow's type of each column, such as "float32" or "string"; "list<float32>" holds lists.
        index: The column that pandas takes as its index.

    Raises:
        ValueError: pyarrow is missing.
    """
    arrow, parquet = _pyarrow()
    arrays = [arrow.array(columns[name], _type(arrow, types[name])) for name in columns]
    table = arrow.table(arrays, names=list(columns))
    if index is not None:
        table = table.replace_schema_metadata({_PANDAS: json.dumps(_for_pandas(columns, types, index))})
    with replacing(path) as temporary:
        parquet.write_table(table, temporary)


def _check_count(path: Path, metadata: Any, wanted: Sequence[str]) -> None:
    """Asks the header how much would be unpacked: some kilobytes can hold billions of equal values."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = (group.column(place) for group in groups for place in range(group.num_columns))
    values = sum(chunk.num_values for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted)
    for what, count, most in (("rows", metadata.num_rows, _MOST_ROWS), ("values", values, _MOST_VALUES)):
        if count > most:
            raise _TooMany(f"{path} has {count} {what}; wanted at most {most}; split it")


def _type(arrow: Any, name: str) -> Any:
    if name.startswith("list<"):
        return arrow.list_(_type(arrow, name[len("list<") : -1]))
    return getattr(arrow, name)()


def _for_pandas(columns: Mapping[str, Sequence[Any]], types: Mapping[str, str], index: str) -> dict[str, Any]:
    """What pandas reads beside a table to know its index."""
    kinds = {"string": ("unicode", "object")}
    described = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy_type, "metadata": None}
        for name in columns
        for kind, numpy_type in [kinds.get(types[name], (types[name], types[name]))]
    ]
    names = [{"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}]
    return {"index_columns": [index], "column_indexes": names, "columns": described}


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(
            'parquet files are read by pyarrow, which is not installed; run `pip install "framecast[worlds]"`, or keep actions '
            "as .npy or .csv"
        ) from error
    return pyarrow, pyarrow.parquet
