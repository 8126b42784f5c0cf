"""Which files of a folder a bundle was trained on, as far as it says."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any


@dataclass(frozen=True)
class Seen:
    """What a bundle's training may have seen of a folder.

    Attributes:
        files: Those of its files that the bundle was trained on, or may have been.
        about: A sentence on how far that is known.
    """

    files: frozenset[str]
    about: str


def seen_in_training(training: Mapping[str, Any], root: Path, files: Sequence[str]) -> Seen:
    """Compares what a bundle says of its training with the files below a folder.

    Args:
        training: `Bundle.training`.
        root: The folder.
        files: Paths below it, with forward slashes.
    """
    settings = _folder_settings(training.get("settings"))
    if settings is None:
        source = training.get("source")
        if source in (None, "VideoFolder", "RandomCrops", "MixedClips", "LeRobotFolder"):
            return Seen(frozenset(), "The bundle does not say which videos it was trained on, so these may be among them.")
        return Seen(frozenset(), f"The bundle was trained on {source} and not on these videos.")
    trained = PurePath(str(settings["root"]))
    if trained.name in ("", ".."):  # of earlier versions, which kept the name of "." as it was typed
        return Seen(
            frozenset(), "The bundle does not say which folder of videos it was trained on, so these videos may be among them."
        )
    paths = _below(trained.name, root, files)
    if not paths:
        about = (
            f'The bundle was trained on a folder of another name, "{trained.name}", so these videos count as unseen. '
            "If they are copies of videos in that folder, it has seen them."
        )
        return Seen(frozenset(), about)
    include, exclude = settings.get("include"), settings.get("exclude", ())
    if include is None:
        about = (
            f'These videos lie in the folder "{trained.name}" that the bundle was trained on, and it does not say on which files.'
        )
        return Seen(frozenset(paths), about)
    seen = frozenset(file for file, path in paths.items() if _matches(path, include) and not _matches(path, exclude))
    about = (
        f'The bundle was trained on {len(seen)} of these {len(files)} videos, going by the name of the folder, "{trained.name}".'
    )
    return Seen(seen, about)


def _folder_settings(settings: Any) -> Mapping[str, Any] | None:
    """The settings of the folder of videos in those of a source, in which it may lie deep."""
    if not isinstance(settings, Mapping):
        return None
    if "root" in settings:
        return settings
    return next((found for value in settings.values() if (found := _folder_settings(value)) is not None), None)


def _below(name: str, root: Path, files: Sequence[str]) -> dict[str, str]:
    """Those of the files that lie in the folder that was trained on, each with its path below that folder.

    Bundles keep the name of the folder alone, and a folder may be moved. Of a link, its own name counts, and that of its target.
    """
    for spelled in (Path(os.path.abspath(root)), root.resolve()):
        for place in (spelled, *spelled.parents):
            if place.name == name:
                return {file: (spelled / file).relative_to(place).as_posix() for file in files}
    found = {}
    for file in files:
        above = [place for place in PurePath(file).parents if place.name == name]
        if above:
            found[file] = PurePath(file).relative_to(above[-1]).as_posix()
    return found


def _matches(file: str, patterns: str | Sequence[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))
