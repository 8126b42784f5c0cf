"""`RecordedActions`: the actions of the videos of a folder, checked and aligned."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..actions import ActionError, ActionSpace, Steps
from ..reading import parse_json, read_regular
from .deriving import space_of_numbers
from .lines import CHOSEN, OWN, ActionLine, ActionLines
from .rows import rows_of_space
from .tables import Numbers, Table, listed, numbers, read_numbers, read_table

_LARGEST_SPACE = 2**24


class RecordedActions:
    """The steps of the videos that lines name, in the space that was given, is stated, or else follows from the numbers.

    Args:
        root: The folder; actions in files lie below it.
        found: What the lines say.
        files: The videos that are wanted.
        space: What the actions are; None takes what the lines state. If they state nothing either, it follows from the numbers
            and names of all wanted videos. Videos with other names than most have are then skipped.
        delay: Frames of a video that pass until an action shows.
    """

    space: ActionSpace | None
    """What the actions are; None if no video has any that can be used."""
    derived: bool
    """Whether the space follows from the numbers, and was stated nowhere."""
    skipped: dict[str, str]
    """Why a video or a line cannot be used."""

    def __init__(self, root: Path, found: ActionLines, files: Collection[str], space: ActionSpace | None, delay: int):
        wanted = set(files)
        self.skipped = {file: why for file, why in found.skipped.items() if file in wanted or " line " in file}
        tables = self._read(root, [line for file, line in found.lines.items() if file in wanted])
        self.space, self.derived = space or found.space, False
        if self.space is None and tables:
            self.space, self.derived = self._derived({file: table for file, (_, table) in tables.items()}), True
        self._steps: dict[str, Steps] = {}
        for file, (line, table) in tables.items():
            try:
                self._steps[file] = _steps(line, table, self.space, delay)
            except ValueError as error:
                self.skipped[file] = str(error)
        if not self._steps:
            self.space = None

    def __contains__(self, file: str) -> bool:
        return file in self._steps

    def __len__(self) -> int:
        return len(self._steps)

    def steps(self, file: str) -> Steps | None:
        """The steps of a video, a row for each of its frames."""
        return self._steps.get(file)

    def length_of(self, file: str) -> int:
        """Frames of a video by its rows of actions; 0 if it has none."""
        return len(self._steps.get(file, ()))

    def mismatch(self, file: str, num_frames: int) -> str | None:
        """Why the steps of a video do not fit its frames, if they do not."""
        steps = self._steps.get(file)
        if steps is None or len(steps) == num_frames:
            return None
        return (
            f"has {num_frames} frames and {len(steps)} rows of actions; wanted a row for each frame, that of frame 0 included; "
            "write the actions anew or cut the longer one"
        )

    def hash_of(self, files: Collection[str]) -> str:
        """A hash of all that was done in some of the videos, in their order."""
        digest = hashlib.sha256()
        for file in files:
            steps = self._steps.get(file)
            if steps is not None:
                rewards, ends = (b"" if rows is None else rows.tobytes() for rows in (steps.rewards, steps.ends))
                digest.update(json.dumps([file, len(steps), len(rewards), len(ends)]).encode())
                digest.update(steps.actions.tobytes() + rewards + ends)
        return digest.hexdigest()

    def summary(self) -> str:
        """What is known, in words; "" if nothing is."""
        if self.space is None:
            return ""
        text = f"actions of {len(self)} files: {', '.join(self.space.names[:8])}{', ...' if self.space.size > 8 else ''}"
        if self.derived:
            axes = [f"{axis.name} {axis.low:.4g} to {axis.high:.4g}" for axis in self.space.axes[:4]]
            more = ", ..." if len(self.space.axes) > len(axes) else ""
            text += f" (no space is stated; ranges of these files: {', '.join(axes) or 'buttons'}{more})"
        return text

    def _read(self, root: Path, lines: list[ActionLine]) -> dict[str, tuple[ActionLine, Table]]:
        tables = {}
        for line in lines:
            try:
                tables[line.file] = line, _table(root, line)
            except ValueError as error:
                self.skipped[line.file] = str(error)
        return tables

    def _derived(self, tables: Mapping[str, Table]) -> ActionSpace | None:
        """The space of the names that most videos have."""
        named = Counter(table.names for table in tables.values() if table.names is not None)
        if not named:
            return None
        names = named.most_common(1)[0][0]
        rows = [table.actions for table in tables.values() if table.names == names and table.actions.shape[1] == len(names)]
        with suppress(ActionError):
            return space_of_numbers(names, np.concatenate(rows or [np.zeros((0, len(names)))]))
        return None


def read_space(given: ActionSpace | Mapping[str, Any] | str | Path | None) -> ActionSpace | None:
    """A space as it may be given: itself, its plain values, or a JSON file of it, such as the `config.json` of a bundle.

    Raises:
        ValueError: It is none, or the file cannot be read.
    """
    if given is None or isinstance(given, ActionSpace):
        return given
    if isinstance(given, str | Path):
        path = Path(given)
        try:
            given = parse_json(read_regular(path, _LARGEST_SPACE))
        except ValueError as error:
            raise ValueError(f"got {path} as an action space ({error}); wanted a JSON file of one") from error
        if isinstance(given, Mapping) and given.get("action_space") is not None:
            given = given["action_space"]
    return ActionSpace.from_json(given)


def _table(root: Path, line: ActionLine) -> Table:
    table = listed(line.actions) if isinstance(line.actions, list) else read_table(root / line.actions)
    rewards, ends = _column(root, line.rewards, "rewards"), _column(root, line.ends, "ends")
    table = replace(table, rewards=table.rewards if rewards is None else rewards, ends=table.ends if ends is None else ends)
    return replace(table, names=line.names) if table.names is None else table


def _column(root: Path, given: str | list[Any] | None, what: str) -> Numbers | None:
    if given is None:
        return None
    return numbers(given, 1, what) if isinstance(given, list) else read_numbers(root / given)


def _steps(line: ActionLine, table: Table, space: ActionSpace | None, delay: int) -> Steps:
    if space is None:
        got = "without names" if table.names is None else f"{', '.join(table.names[:8])}, which make no action space"
        wanted = 'state "action_names" or an "action_space" in the first line, or give `action_space`'
        raise ActionError(f"got actions {got}; {wanted}")
    actions = rows_of_space(table.actions, table.names, space, line.units == OWN)
    for what, values in (("rewards", table.rewards), ("ends", table.ends)):
        if values is not None and len(values) != len(actions):
            raise ActionError(f"got {len(values)} {what} for {len(actions)} rows of actions; wanted as many")
    if table.ends is not None and not np.isin(table.ends, (0, 1)).all():
        raise ActionError("got ends that are neither 0 nor 1; wanted 1 where the episode is over, and 0 elsewhere")
    if table.rewards is not None and np.isinf(table.rewards).any():
        raise ActionError("got rewards without end; wanted finite numbers, or NaN where a reward is unknown")
    rewards = None if table.rewards is None else table.rewards.astype(np.float32)
    steps = Steps(actions, rewards, None if table.ends is None else table.ends.astype(bool))
    return steps.shifted(line.timing == CHOSEN, delay)
