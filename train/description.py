"""What a training says of itself, in plain values: its source, how much video it had, the machine. No folder is named."""

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import torch

from ..data import ClipSource
from ..machine import num_cores


def describe_source(source: ClipSource) -> dict[str, Any]:
    """Class and settings of a source, as plain JSON values, for a bundle to say what it was trained on.

    Of a folder only the name is kept: where it lies says who made the bundle, and nothing about the clips. Of a link to a
    folder, and of ".", it is the name of the folder itself.
    """
    public = {name: value for name, value in vars(source).items() if not name.startswith("_")}
    plain = {name: value.resolve().name if isinstance(value, Path) else value for name, value in public.items()}
    within = {name: _described(value) for name, value in public.items() if _is_source(value)}
    kept = {
        name: value for name, value in plain.items() if isinstance(value, bool | int | float | str | tuple) and name not in within
    }
    return {"class": type(source).__name__, "num_clips": len(source), **without_folders(kept), **within}


def _is_source(value: object) -> bool:
    several = value if isinstance(value, list | tuple) else [value]
    return bool(several) and all(isinstance(each, ClipSource) for each in several)


def _described(value: Any) -> Any:
    """A source, or several, as plain values."""
    return describe_source(value) if isinstance(value, ClipSource) else [describe_source(each) for each in value]


def without_folders(value: Any) -> Any:
    """Plain values in which an absolute path is the name of its last part."""
    if isinstance(value, dict):
        return {name: without_folders(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(without_folders(each) for each in value)
    if isinstance(value, str):
        for kind in (PurePosixPath, PureWindowsPath):
            if kind(value).is_absolute():
                return kind(value).name
    return value


def innermost(settings: dict[str, Any]) -> dict[str, Any]:
    """The description of the source within sources, which is where the clips come from."""
    return innermost(settings["source"]) if isinstance(settings.get("source"), dict) else settings


def describe_machine(device: torch.device, processes: int) -> str:
    """What was computed on, in a few words."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    if device.type != "cpu":
        return f"{processes} x {device.type}"
    return f"{num_cores()} CPU cores"


def in_words(seconds: float) -> str:
    """A time as people say it, such as "2.5 hours"."""
    if seconds < 90:
        return f"{seconds:.0f} seconds" if seconds >= 1.5 else f"{seconds:.1f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 36_000 else f"{seconds / 3600:,.0f} hours"
