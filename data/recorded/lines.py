"""`actions.jsonl`: which videos of a folder have actions, and where the actions are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..actions import ActionSpace
from ..json_lines import NOT_A_ROW, file_of, inside, json_lines, why

ACTIONS_FILE = "actions.jsonl"
WANTED = '{"file": "a.mp4", "actions": "a.npy"} or {"file": "a.mp4", "actions": [[0.5, 1.0], ...]}'
SHOWN, CHOSEN = "shown", "chosen"
"""Timings: row t made frame t, or was chosen at frame t and made frame t + 1."""
OWN, SPACE = "own", "space"
"""Units of axes: those of the recording, which `low` and `high` of the axis map to [-1, 1]; or [-1, 1] already."""
_HEADER = {"action_space", "action_names", "timing", "units"}


@dataclass(frozen=True)
class ActionLine:
    """What a line says of a video; with `file` empty, what the first line says of all."""

    file: str = ""
    """Path of the video below the folder."""
    actions: str | list[Any] = ""
    """Path of a file below the folder, or the rows."""
    rewards: str | list[Any] | None = None
    """Path of a `.npy` below the folder, or the numbers."""
    ends: str | list[Any] | None = None
    """Path of a `.npy` below the folder, or the truth values."""
    names: tuple[str, ...] | None = None
    """What the columns are called."""
    timing: str = SHOWN
    """When a row was done."""
    units: str = OWN
    """What an axis counts in."""


@dataclass
class ActionLines:
    """What a file of lines says."""

    space: ActionSpace | None = None
    """What the first line says that can be done."""
    lines: dict[str, ActionLine] = field(default_factory=dict)
    """Videos with actions, by path below the folder."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why a video or a line cannot be used."""


def read_action_lines(listing: Path) -> ActionLines:
    """The lines of `actions.jsonl`, or of a `captions.jsonl` that names actions; lines without "actions" are passed over.

    The first line may have no "file". What that line says then holds for all: "action_space", "action_names", "timing", "units".

    Raises:
        ValueError: If the file cannot be read, or its action space is none.
    """
    found, default = ActionLines(), ActionLine()
    for number, line in json_lines(listing, WANTED):
        file = ""
        try:
            row = _row(line)
            if number == 1 and "file" not in row:
                found.space, default = _header(row)
                continue
            if row.get("actions") is None:
                continue
            file = file_of(row)
            if file in found.lines:
                raise ValueError(f"{file} has actions twice; keep one line per file")
            found.lines[file] = _line(row, default)
        except NOT_A_ROW as error:
            if number == 1 and not file:
                raise ValueError(f"{listing} line 1: {why(error, WANTED)}") from error
            found.lines.pop(file, None)
            found.skipped[file or f"{listing.name} line {number}"] = why(error, WANTED)
    return found


def _row(line: bytes) -> dict[str, Any]:
    row = json.loads(line.decode("utf-8"))
    if not isinstance(row, dict):
        raise ValueError(f"got {row!r:.60}")
    return row


def _header(row: Mapping[str, Any]) -> tuple[ActionSpace | None, ActionLine]:
    if not set(row) & _HEADER:
        raise ValueError('got no "file"')
    space = row.get("action_space")
    return None if space is None else ActionSpace.from_json(space), _settings(row, ActionLine())


def _line(row: Mapping[str, Any], default: ActionLine) -> ActionLine:
    rewards, ends = (None if row.get(name) is None else _place(row, name) for name in ("rewards", "ends"))
    return replace(_settings(row, default), file=file_of(row), actions=_place(row, "actions"), rewards=rewards, ends=ends)


def _settings(row: Mapping[str, Any], default: ActionLine) -> ActionLine:
    timing, units, names = row.get("timing", default.timing), row.get("units", default.units), row.get("action_names")
    if timing not in (SHOWN, CHOSEN):
        raise ValueError(f'got timing {timing!r:.40}; wanted "{SHOWN}" (row t made frame t) or "{CHOSEN}" (at frame t)')
    if units not in (OWN, SPACE):
        raise ValueError(f'got units {units!r:.40}; wanted "{OWN}" (of the recording) or "{SPACE}" (-1 to 1)')
    if names is not None and not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise ValueError(f'got {names!r:.60} as "action_names"; wanted a list of names')
    return replace(default, timing=timing, units=units, names=default.names if names is None else tuple(names))


def _place(row: Mapping[str, Any], name: str) -> str | list[Any]:
    value = row[name]
    if isinstance(value, list):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f'got {value!r:.60} as "{name}"; wanted the path of a file below the folder, or a list')
    return inside(value)
