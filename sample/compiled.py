"""A video LM in machine code of its own: `torch.compile`, for long videos that pay back a start of minutes."""

import copy
import os
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ..model import VideoLM
from .kernels import drop_kernels

_HOW: dict[str, Any] = {"dynamic": True}  # lengths and places change from call to call


def compile_lm(lm: VideoLM) -> VideoLM:
    """A copy for inference whose layers are compiled, see `compile_layers`.

    The copy's weights are not in the order of `prepared`, since the compiler does not know products with such weights.

    Raises:
        ValueError: Something that compiling needs is missing.
    """
    check_compiler(lm.places.weight.device)
    compiled = copy.deepcopy(lm).eval()
    compile_layers(compiled)
    return compiled


def compile_layers(lm: VideoLM) -> None:
    """Compiles the layers, all of them in one piece, when they first meet a kind of input; that takes minutes."""
    drop_kernels(lm)
    lm.layers.compile(**_HOW)


def check_compiler(device: torch.device | str) -> None:
    """Raises ValueError if `torch.compile` would fail on its first call, with what is missing."""
    missing = _missing(torch.device(device).type)
    if missing:
        raise ValueError(
            f"got compile and a machine without {' and '.join(missing)}; wanted all that torch.compile needs; install it, or "
            "leave compile out: the video is the same"
        )


def _missing(device: str) -> list[str]:
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    there = {
        f"the C++ compiler {compiler} (another one can be named in CXX)": shutil.which(compiler) is not None,
        "Python's headers (python3-dev)": Path(sysconfig.get_path("include"), "Python.h").is_file(),
        "triton": device == "cpu" or find_spec("triton") is not None,
    }
    return [name for name, found in there.items() if not found]
