"""What a folder with actions holds, in rows for a person: a recording, videos with `actions.jsonl`, or a LeRobotDataset."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .data.actions import ActionSpace, Steps
from .data.lerobot import INFO_FILE, read_info
from .data.reading import parse_json, read_regular
from .data.recorded import ACTIONS_FILE, RecordedActions, read_action_lines

Rows = list[tuple[str, str]]

ABOUT_FILE, CAPTIONS_FILE = "recording.json", "captions.jsonl"
_LARGEST_ABOUT = 2**24
_SHOWN, _REASONS = 12, 3


def describe_recording(folder: Path) -> Rows | None:
    """The rows of a folder with actions; None if it says nothing of actions.

    Raises:
        ValueError: What it says cannot be read.
    """
    if (folder / INFO_FILE).is_file():
        return _of_lerobot(folder)
    for name in (ACTIONS_FILE, CAPTIONS_FILE):
        if (folder / name).is_file():
            found = read_action_lines(folder / name)
            if found.lines or found.space is not None:
                recorded = RecordedActions(folder, found, found.lines, None, 0)
                return [("recording", str(folder)), *_about(folder), *_of_actions(recorded, list(found.lines))]
    return None


def _of_actions(recorded: RecordedActions, files: Sequence[str]) -> Rows:
    steps = {file: found for file in files if (found := recorded.steps(file)) is not None}
    rows = [("videos with actions", f"{len(steps):,}, {sum(map(len, steps.values())):,} rows")]
    if recorded.space is not None:
        rows += _of_space(recorded.space, recorded.derived)
    rows += _of_outcomes(list(steps.values()))
    for why, count in Counter(recorded.skipped.values()).most_common(_REASONS):
        first = next(file for file, reason in recorded.skipped.items() if reason == why)
        rows.append(("cannot be used", f"{count:,}{', such as ' if count > 1 else ': '}{first}: {why}"))
    return rows


def _of_space(space: ActionSpace, derived: bool) -> Rows:
    rows: Rows = []
    if space.buttons:
        groups = {
            button.group: [b.name for b in space.buttons if b.group == button.group] for button in space.buttons if button.group
        }
        alone = [button.name for button in space.buttons if button.group is None]
        rows.append(("buttons", _some([*(" or ".join(names) for names in groups.values()), *alone])))
    if space.axes:
        where = ", ranges of these videos" if derived else ""
        rows.append(("axes", _some([f"{axis.name} {axis.low:.4g} to {axis.high:.4g}" for axis in space.axes]) + where))
    return rows


def _of_outcomes(steps: Sequence[Steps]) -> Rows:
    sums = [float(np.nansum(each.rewards)) for each in steps if each.rewards is not None]
    ends = [bool(each.ends.any()) for each in steps if each.ends is not None]
    rows = [("rewards", f"of {len(sums):,} videos, {min(sums):.4g} to {max(sums):.4g} in all of a video")] if sums else []
    return rows + ([("ends", f"of {len(ends):,} videos, {sum(ends):,} of which end")] if ends else [])


def _about(folder: Path) -> Rows:
    """What the writer of a recording says, if one wrote it."""
    path = folder / ABOUT_FILE
    if not path.is_file():
        return []
    try:
        head = parse_json(read_regular(path, _LARGEST_ABOUT))
        world = (head.get("spec") or {}).get("env_id", "a session of play")
        about = ", ".join(f"{name} {value}" for name, value in (head.get("about") or {}).items())
        return [("world", world), ("frames/s", f"{head['fps']:g}"), *([("played", about)] if about else [])]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error!s:.80}); record anew, or remove it") from error


def _of_lerobot(folder: Path) -> Rows:
    info = read_info(folder)
    names = info.action_names
    rows = [
        ("LeRobotDataset", f"{folder}, version {info.version}"),
        ("episodes", f"{info.num_episodes:,}, {info.num_frames:,} frames at {info.fps:g} frames/s"),
        ("cameras", ", ".join(info.cameras) or "none whose pictures are videos"),
    ]
    return [*rows, ("actions", "none" if names is None else _some(list(names)))]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
