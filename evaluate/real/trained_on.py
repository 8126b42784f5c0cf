"""Which files of a folder a bundle was trained on, as far as it says."""

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
        if source in (None, "VideoFolder", "RandomCrops"):
            return Seen(frozenset(), "The bundle does not say which videos it was trained on, so these may be among them.")
        return Seen(frozenset(), f"The bundle was trained on {source} and not on these videos.")
    trained = PurePath(str(settings["root"]))
    prefix = _place_within(root.resolve(), trained)
    if prefix is None:
        return Seen(frozenset(), f'The bundle was trained on the folder "{trained.name}", and these videos lie in another one.')
    include, exclude = settings.get("include"), settings.get("exclude", ())
    if include is None:
        about = (
            f'These videos lie in the folder "{trained.name}" that the bundle was trained on, and it does not say on which files.'
        )
        return Seen(frozenset(files), about)
    seen = frozenset(file for file in files if _matches(prefix + file, include) and not _matches(prefix + file, exclude))
    about = f'The bundle was trained on {len(seen)} of these {len(files)} videos of the folder "{trained.name}".'
    return Seen(seen, about)


def _folder_settings(settings: Any) -> Mapping[str, Any] | None:
    """The settings of the folder of videos in those of a source, in which it may lie deep."""
    if not isinstance(settings, Mapping):
        return None
    if "root" in settings:
        return settings
    return next((found for value in settings.values() if (found := _folder_settings(value)) is not None), None)


def _place_within(root: Path, trained: PurePath) -> str | None:
    """The path of a folder below the one that was trained on, with a slash at its end; None if it lies elsewhere.

    Bundles may keep the name of the folder alone, without its path.
    """
    above = [
        place for place in (root, *root.parents) if (place == trained if trained.is_absolute() else place.name == trained.name)
    ]
    if not above:
        return None
    within = root.relative_to(above[0]).as_posix()
    return "" if within == "." else f"{within}/"


def _matches(file: str, patterns: str | Sequence[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))
