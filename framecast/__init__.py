"""Framecast: an autoregressive video token generator that streams.

The public names are loaded on first use, so `import framecast` is fast and never imports Lightning.
"""

import importlib
from pathlib import Path

from .environment_ids import register_worlds
from .faces import face

__version__ = "0.1.0"

_PARENT = Path(__file__).resolve().parent.parent
if (_PARENT / "setup.cfg").is_file() and (_PARENT / "tokenizer").is_dir():
    __path__.append(str(_PARENT))  # a checkout works without an install: the rooms lie beside this folder

_ROOMS = ("data", "tokenizer", "model", "sample", "evaluate", "train", "serve")
_load, _, _public = face(__name__, __file__)
__all__ = ["__version__", *_public]
register_worlds()


def __getattr__(name: str) -> object:
    return importlib.import_module(f".{name}", __name__) if name in _ROOMS else _load(name)


def __dir__() -> list[str]:
    return sorted(__all__)
