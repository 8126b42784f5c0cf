"""Framecast: an autoregressive video token generator that streams.

The public names are loaded on first use, so `import framecast` is fast and never imports Lightning.
"""

import importlib
from pathlib import Path

__version__ = "0.1.0"

_PARENT = Path(__file__).resolve().parent.parent
if (_PARENT / "setup.cfg").is_file() and (_PARENT / "tokenizer").is_dir():
    __path__.append(str(_PARENT))  # a checkout works without an install: the rooms lie beside this folder

_PUBLIC = {
    "Clip": "framecast.sample",
    "Frame": "framecast.sample",
    "SamplingParams": "framecast.sample",
    "SpriteWorld": "framecast.data",
    "VideoFolder": "framecast.data",
    "VideoGenerator": "framecast.sample",
    "VideoLM": "framecast.model",
    "VideoTokenizer": "framecast.tokenizer",
    "load_bundle": "framecast.sample",
    "load_generator": "framecast.sample",
    "read_video": "framecast.data",
    "save_bundle": "framecast.sample",
    "write_video": "framecast.data",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'framecast' has no attribute {name!r}; the public names are {', '.join(__all__)}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
