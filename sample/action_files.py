"""Actions as files hold them: a row for each frame of a video, the first of which says nothing if the video begins with it."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.actions import ActionError, ActionSpace
from ..data.reading import read_regular
from ..data.recorded import read_table, rows_of_space
from ..stride import Stride
from .token_file import SUFFIX, read_tokens

_LARGEST = 2**28
_LINES = (".jsonl", ".ndjson")
_TABLES = (".npy", ".npz", ".csv", ".parquet")
ACTION_SUFFIXES = (*_TABLES, *_LINES, SUFFIX)
"""What the names of files end in that `read_actions` reads."""


def read_actions(file: str | Path, space: ActionSpace) -> NDArray[np.float32]:
    """The actions of a file, float32 `[T, A]`, a row for each frame; NaN is unknown.

    Args:
        file: A table (`.npy`, `.npz`, `.csv`, `.parquet`); lines of JSON (`.jsonl`, `.ndjson`), each an action as
            `ActionSpace.action` takes it, or a line of the log of a played stream; or a token file (`.fct`) of the same world.
        space: What can be done.

    Raises:
        ActionError: The file cannot be read, or holds an action that cannot be.
    """
    path, suffix = Path(file), Path(file).suffix.lower()
    try:
        if suffix == SUFFIX:
            return _of_tokens(path, space)
        if suffix in _LINES:
            return _of_lines(path, space)
        table = read_table(path)
        return rows_of_space(table.actions, table.names, space, own_units=False)
    except ActionError as error:
        raise ActionError(f"{path}: {error}") from error
    except (ValueError, OSError) as error:
        raise ActionError(f"cannot read the actions of {path}: {error}") from error


def _of_tokens(path: Path, space: ActionSpace) -> NDArray[np.float32]:
    """What was done in the video of a token file."""
    video = read_tokens(path)
    if video.actions is None or video.header.action_space != space:
        there = "no actions" if video.actions is None else f"actions of {video.header.action_space}"
        raise ActionError(f"got a token file with {there}; wanted one of {space}, the world of this model")
    return Stride(video.header.temporal_stride).ungroup(video.actions).numpy()


def _of_lines(path: Path, space: ActionSpace) -> NDArray[np.float32]:
    rows = []
    for number, line in enumerate(read_regular(path, _LARGEST).splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            if isinstance(value, Mapping) and "action_space" in value:
                continue  # the head of a log
            rows.append(space.action(_plain(value)))
        except (ValueError, RecursionError) as error:
            some = json.dumps(space.nothing.tolist())
            raise ActionError(f"got line {number} ({error}); wanted an action, such as {some}") from error
    if not rows:
        raise ActionError("got no line of an action; wanted one for each frame")
    return np.stack(rows)


def _plain(value: object) -> object:
    """An action of a line as `ActionSpace.action` takes it: of a log, and of a control with buttons and axes."""
    if isinstance(value, Mapping) and "action" in value:
        value = value["action"]
    if isinstance(value, Mapping) and set(value) <= {"buttons", "axes"} and isinstance(value.get("buttons", []), list):
        return {**{str(name): 1.0 for name in value.get("buttons", [])}, **value.get("axes", {})}
    return value
