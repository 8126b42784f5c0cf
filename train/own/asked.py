"""Which files of a folder a run is about: what was asked for, by patterns, and what is said of them."""

import difflib
import glob
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ...data.counted import counted
from ...data.folder import printable
from ...data.listing import Listing, list_videos
from ...data.recorded import ACTIONS_FILE
from .settings import OwnSettings, spoken


def folder_of(settings: OwnSettings) -> Path:
    """The folder of the videos.

    Raises:
        ValueError: It is none; the message names one of a similar name.
    """
    root = Path(settings.videos)
    if root.is_dir():
        return root
    if root.is_file():
        raise ValueError(f"got {root}, which is a file; wanted the folder of videos that it lies in: {root.parent}")
    near = [path.name for path in root.absolute().parent.glob("*") if path.is_dir()] if root.absolute().parent.is_dir() else []
    meant = difflib.get_close_matches(root.name, near, 1)
    advice = f"did you mean {root.parent / meant[0]}?" if meant else "check its path"
    raise ValueError(f"got {root}, and there is no such folder; wanted a folder of videos; {advice}")


def patterns_of(settings: OwnSettings) -> list[str]:
    """The patterns that `include` stands for: the name of a sub-folder means all that lies below it."""
    return [_pattern(Path(settings.videos), each) for each in settings.include]


def _pattern(root: Path, given: str) -> str:
    if not (root / given).is_dir():
        return given
    below = Path(os.path.normpath(given)).as_posix()
    return "*" if below == "." else f"{glob.escape(below)}/*"


def listing_of(settings: OwnSettings, include: Sequence[str] | None = None) -> Listing:
    """The files and what is said of them; `include` stands in for the patterns that were asked for."""
    captions = None if settings.captions is None else Path(settings.captions)
    return list_videos(folder_of(settings), patterns_of(settings) if include is None else include, (), captions)


def excluded_of(settings: OwnSettings) -> int:
    """How many files fit no pattern of `include`.

    Raises:
        ValueError: A pattern fits no file; the message names files that there are.
    """
    files = list(listing_of(settings, ["*"]).texts)
    for given, pattern in zip(settings.include, patterns_of(settings), strict=True):
        if files and not any(fnmatch(file, pattern) for file in files):
            near = difflib.get_close_matches(given, {file.split("/")[0] for file in files}, 1)
            advice = f"did you mean {near[0]}?" if near else f"their paths are such as {printable(files[0])}"
            raise ValueError(
                f"got --include {given}, which fits none of the {counted(len(files), 'file')} in {settings.videos}; wanted a "
                f"sub-folder of it, or a pattern of paths below it; {advice}"
            )
    return len(files) - len(listing_of(settings).texts)


def actions_file(settings: OwnSettings) -> Path | None:
    """Where actions are listed, if anywhere."""
    root, given = Path(settings.videos), settings.actions
    places = [root / ACTIONS_FILE] if given is None else [root / given, Path(given)]
    return next((place for place in places if place.is_file()), None)


def digest_of(settings: OwnSettings) -> str:
    """A hash of the names and sizes of the files in the folder, of their captions, and of the list of actions, if any."""
    root, listing = folder_of(settings), listing_of(settings)
    sizes: list[Any] = [[file, _size(root / file), [asdict(text) for text in texts]] for file, texts in listing.texts.items()]
    actions = actions_file(settings)
    if actions is not None:
        sizes.append(hashlib.sha256(actions.read_bytes()).hexdigest())
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def as_included(settings: OwnSettings) -> str:
    """What was asked for, if not all of the folder."""
    return "" if settings.include == OwnSettings.include else f" with --include {spoken(settings.include)}"


def named(files: Mapping[str, str] | tuple[str, ...], most: int = 3) -> str:
    """The first files by name, and how many more there are."""
    names = [printable(file) for file in files]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
