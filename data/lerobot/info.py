"""`meta/info.json` of a LeRobotDataset: what is recorded, how fast, and where it lies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, prod
from pathlib import Path
from typing import Any

from ..actions import MOST
from ..json_lines import inside
from ..kinds import real, whole
from ..reading import parse_json, read_regular

INFO_FILE = "meta/info.json"
ACTION = "action"
_LARGEST = 2**26
_LONGEST_NAME = 64
_PLACE = re.compile(r"\{(\w+)(?::0?(\d)d)?\}")


@dataclass(frozen=True)
class LeRobotInfo:
    """What `meta/info.json` says."""

    version: str
    """Of the format, such as "v3.0"."""
    fps: float
    """Frames per second of videos and rows."""
    features: Mapping[str, Any]
    """What is recorded, by name."""
    data_path: str
    """Pattern of the paths of the rows."""
    video_path: str | None
    """Pattern of the paths of the videos; None if there are none."""
    chunk: int
    """Episodes of a folder, before version 3."""
    num_episodes: int
    """How many there are."""
    num_frames: int
    """Frames of all of them."""

    @property
    def one_file_an_episode(self) -> bool:
        """Whether each episode has files of its own, as before version 3."""
        return self.version.startswith("v2.")

    @property
    def cameras(self) -> tuple[str, ...]:
        """The features that are videos of light, in order."""
        return tuple(name for name, what in self.features.items() if what["dtype"] == "video" and not _is_depth(what))

    @property
    def action_names(self) -> tuple[str, ...] | None:
        """What the numbers of an action are called; None if there are no actions."""
        action = self.features.get(ACTION)
        if action is None:
            return None
        count, names = prod(action["shape"]), _flat(action.get("names"))
        return _plain(names if len(names) == count else [f"action {place}" for place in range(count)])

    @property
    def action_about(self) -> Mapping[str, Any]:
        """What else is said of the actions."""
        about = self.features[ACTION].get("info")
        return about if isinstance(about, Mapping) else {}


def read_info(root: Path) -> LeRobotInfo:
    """Reads `meta/info.json` below a folder.

    Raises:
        ValueError: It is missing, or of another format or version.
    """
    path = root / INFO_FILE
    if not path.is_file():
        raise ValueError(
            f"{root} holds no LeRobotDataset: {INFO_FILE} is missing; name the folder that has meta/ and videos/ in it"
        )
    try:
        return _checked(parse_json(read_regular(path, _LARGEST)))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} says nothing that can be used ({why}); wanted a LeRobotDataset of version 2.1 or 3") from error


def filled(pattern: str, **values: int | str) -> str:
    """A path below the folder, of a pattern such as "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet".

    Raises:
        ValueError: The pattern asks for something else, or leads out of the folder.
    """

    def value_of(match: re.Match[str]) -> str:
        value = values[match[1]]
        return str(value).zfill(int(match[2])) if match[2] else str(value)

    try:
        path = _PLACE.sub(value_of, pattern)
    except KeyError as error:
        raise ValueError(f"got the path {pattern!r}, with an unknown {error}; wanted {', '.join(values)}") from error
    if "{" in path:
        raise ValueError(f"got the path {pattern!r}; wanted one such as {{chunk_index:03d}} of {', '.join(values)}")
    return inside(path)


def _checked(content: Mapping[str, Any]) -> LeRobotInfo:
    version = content["codebase_version"]
    if not isinstance(version, str) or not version.startswith(("v2.", "v3.")):
        raise ValueError(f"version {version!r:.40}")
    fps = real("fps", content["fps"], 1e-6, 1000, "frames per second above 0 and up to 1000")
    features = content["features"]
    for name, what in features.items():
        if not isinstance(what["dtype"], str) or not all(whole(name, side, 1, inf, "whole numbers") for side in what["shape"]):
            raise ValueError(f"feature {name!r} without dtype and shape")
        if name == ACTION and prod(what["shape"]) > MOST:
            raise ValueError(f"got {ACTION} of shape {what['shape']!s:.80}; wanted at most {MOST} numbers in all")
    chunk = whole("chunks_size", content.get("chunks_size", 1000), 1, inf, "a whole number of at least 1")
    video_path = content.get("video_path")
    counts = [whole(name, content[name], 0, inf, "a whole number") for name in ("total_episodes", "total_frames")]
    paths = str(content["data_path"]), None if video_path is None else str(video_path)
    return LeRobotInfo(version, fps, features, *paths, chunk, *counts)


def _is_depth(what: Mapping[str, Any]) -> bool:
    about = {**(what.get("video_info") or {}), **(what.get("info") or {})}
    return bool(about.get("is_depth_map") or about.get("video.is_depth_map"))


def _flat(names: Any) -> list[str]:
    """The names in a list, in lists in it, or in the values of a mapping such as `{"motors": [...]}`."""
    if isinstance(names, Mapping):
        names = list(names.values()) if all(isinstance(value, list) for value in names.values()) else list(names)
    if not isinstance(names, list):
        return []
    return [name for each in names for name in (_flat(each) if isinstance(each, list) else [str(each)])]


def _plain(names: list[str]) -> tuple[str, ...]:
    """Names that an action space takes: no two alike, none long or with a "+"."""
    made: list[str] = []
    for place, name in enumerate(names):
        short = "".join(sign for sign in name if sign.isprintable()).replace("+", " ").strip()[:_LONGEST_NAME].strip()
        made.append(short if short and short not in made else f"action {place}")
    return tuple(made)
