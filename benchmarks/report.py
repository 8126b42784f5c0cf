"""How benchmarks say what they measured, and on what machine."""

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from rich.console import Console


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def say(what: str) -> None:
    """A line of progress on standard error, also if that is a file."""
    print(what, file=sys.stderr, flush=True)


def usable_device(name: str) -> torch.device:
    """The device of that name.

    Raises:
        ValueError: There is none here.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"got --device {name}; wanted one that is here, such as cpu") from error
    return device


def check_output(path: Path) -> None:
    """Raises ValueError if a report cannot be written, before the long work."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot write {path} ({error.strerror}); name another --out") from error
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"cannot write {path}; it is a folder or may not be written; name another --out")


def write_json(path: Path, report: Mapping[str, object]) -> None:
    """Writes a report and the machine, in a folder that is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **report}, indent=2))


def wide_console() -> Console:
    """Where tables go; as wide as they are if nobody looks, such as in a log."""
    console = Console()
    return console if console.is_terminal else Console(width=200)
