"""What a folder with actions holds, in rows for a person: a recording, videos with `actions.jsonl`, or a LeRobotDataset."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .data.actions import ActionSpace, Steps
from .data.counted import counted
from .data.lerobot import INFO_FILE, read_info
from .data.reading import parse_json, read_regular
from .data.recorded import ACTIONS_FILE, RecordedActions, read_action_lines
from .training_descriptions import shown

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
    rows = [("videos with actions", f"{len(steps):,}, {counted(sum(map(len, steps.values())), 'row')}")]
    if recorded.space is not None:
        rows += describe_space(recorded.space, recorded.derived)
    rows += _of_outcomes(list(steps.values()))
    for why, count in Counter(recorded.skipped.values()).most_common(_REASONS):
        first = next(file for file, reason in recorded.skipped.items() if reason == why)
        rows.append(("cannot be used", f"{count:,}{', such as ' if count > 1 else ': '}{first}: {why}"))
    return rows


def describe_space(space: ActionSpace, derived: bool = False) -> Rows:
    """Buttons and axes, with the keys that hold them.

    Args:
        space: What can be done.
        derived: Whether the ranges are those of the videos, since nobody said them.
    """
    rows: Rows = []
    if space.buttons:
        grouped: dict[str, list[str]] = {}
        for number, button in enumerate(space.buttons):
            named = button.name + (f" ({button.key})" if button.key else "")
            grouped.setdefault(f"alone {number}" if button.group is None else f"group {button.group}", []).append(named)
        order = sorted(grouped, key=lambda name: name.startswith("alone"))
        rows.append(("buttons", _some([" or ".join(grouped[name]) for name in order])))
    if space.axes:
        where = ", ranges of these videos" if derived else ""
        keys = {axis.name: f" ({axis.keys[0]}, {axis.keys[1]})" if axis.keys else "" for axis in space.axes}
        ranges = [f"{axis.name} {axis.low:.4g} to {axis.high:.4g}{keys[axis.name]}" for axis in space.axes]
        rows.append(("axes", _some(ranges) + where))
    return rows


def _of_outcomes(steps: Sequence[Steps]) -> Rows:
    sums = [float(np.nansum(each.rewards)) for each in steps if each.rewards is not None]
    ends = [bool(each.ends.any()) for each in steps if each.ends is not None]
    rows = []
    if sums:
        most = f" to {max(sums):.4g}" if f"{max(sums):.4g}" != f"{min(sums):.4g}" else ""
        rows.append(("rewards", f"of {counted(len(sums), 'video')}, {min(sums):.4g}{most} in all of a video"))
    if ends:
        rows.append(("ends", f"of {counted(len(ends), 'video')}, {sum(ends):,} of which end"))
    return rows


def _about(folder: Path) -> Rows:
    """What the writer of a recording says, if one wrote it."""
    path = folder / ABOUT_FILE
    if not path.is_file():
        return []
    try:
        head = parse_json(read_regular(path, _LARGEST_ABOUT))
        world = (head.get("spec") or {}).get("env_id", "a session of play")
        about = shown({name: value for name, value in (head.get("about") or {}).items() if value not in ("", {})})
        return [("world", world), ("frames/s", f"{head['fps']:g}"), *([("played", about)] if head.get("about") else [])]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error!s:.80}); record anew, or remove it") from error


def _of_lerobot(folder: Path) -> Rows:
    info = read_info(folder)
    names = info.action_names
    rows = [
        ("LeRobotDataset", f"{folder}, version {info.version}"),
        ("episodes", f"{info.num_episodes:,}, {counted(info.num_frames, 'frame')} at {info.fps:g} frames/s"),
        ("cameras", ", ".join(info.cameras) or "none whose pictures are videos"),
    ]
    return [*rows, ("actions", "none" if names is None else _some(list(names)))]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
