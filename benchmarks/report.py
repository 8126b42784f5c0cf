"""How benchmarks say what they measured, and on what machine."""

import json
import platform
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


def write_json(path: Path, report: Mapping[str, object]) -> None:
    """Writes a report and the machine, in a folder that is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **report}, indent=2))


def wide_console() -> Console:
    """Where tables go; as wide as they are where nobody looks, such as in a log."""
    console = Console()
    return console if console.is_terminal else Console(width=200)
