"""What was done in the videos of a folder, if that is known: then the model becomes a world to play in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data import VideoFolder
from ...data.actions import ActionSpace
from ...data.reading import parse_json, read_regular

ABOUT_FILE = "recording.json"
"""What a recording says of itself."""
_LARGEST_ABOUT = 2**24


@dataclass(frozen=True)
class Played:
    """What was done in the videos of a folder."""

    space: dict[str, Any]
    """The action space, as plain values."""
    files: int
    """Videos of which the actions are known."""
    rewards: bool
    """Whether rewards are known."""
    ends: bool
    """Whether it is known where an episode ended."""
    drawn: bool
    """Whether an environment drew the pictures, and no camera took them."""

    @property
    def action_space(self) -> ActionSpace:
        """What can be done."""
        return ActionSpace.from_json(self.space)


def played_in(folder: VideoFolder) -> Played | None:
    """What was done in the videos of a folder; None if nothing is known."""
    space = folder.action_space
    if space is None:
        return None
    first = next(clip for clip in (folder[place] for place in range(len(folder))) if clip.actions is not None)
    drawn = _about(folder.root).get("spec") is not None
    return Played(space.to_json(), folder.files_with_actions, first.rewards is not None, first.ends is not None, drawn)


def recorded_rate(folder: Path) -> float | None:
    """Frames per second of a recording; None if the folder is none, or does not say."""
    rate = _about(folder).get("fps")
    return float(rate) if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 1 <= rate <= 120 else None


def _about(folder: Path) -> dict[str, Any]:
    """What a recording says of itself; nothing if the folder is none."""
    if not (folder / ABOUT_FILE).is_file():
        return {}
    try:
        values = parse_json(read_regular(folder / ABOUT_FILE, _LARGEST_ABOUT))
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
