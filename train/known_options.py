"""The options that a training takes, by their full names, and the one that a person meant."""

import difflib
import importlib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from .config_text import load_bounded
from .shipped import with_shipped_configs

ALIASES = {
    "lr": "learning_rate",
    "learning-rate": "learning_rate",
    "steps": "max_steps",
    "bs": "batch_size",
    "batch": "batch_size",
    "resume": "ckpt_path",
    "checkpoint": "ckpt_path",
    "folder": "root",
    "path": "root",
    "videos": "root",
    "epochs": "max_steps",
    "max_epochs": "max_steps",
    "output": "default_root_dir",
    "out": "default_root_dir",
    "output_dir": "default_root_dir",
    "frames": "num_frames",
    "workers": "num_workers",
    "gpus": "devices",
    "warmup": "warmup_steps",
}
"""What people call an option, and the last part of its name here."""
_OURS = "framecast."


def meant_options(option: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The full names that a person may have meant by `option`, the likeliest first; none if nothing is like it.

    Args:
        option: What was typed, without dashes and value: `max_steps` or `data.root`.
        known: Full names, such as `trainer.max_steps`.
        most: How many are given at most.
    """
    names = sorted(set(known), key=lambda name: (name.count("."), name))
    first, _, last = option.rpartition(".")
    for wanted in dict.fromkeys((last, ALIASES.get(last, last))):
        found = [name for name in names if name.rpartition(".")[2] == wanted and name != option]
        if within := [name for name in found if first and name.startswith(f"{first.split('.')[0]}.")]:
            return within[:most]
        if found:
            return found[:most]
    whole = difflib.get_close_matches(option, names, 1, cutoff=0.8)
    lasts = {name.rpartition(".")[2]: name for name in reversed(names)}
    return whole or [lasts[near] for near in difflib.get_close_matches(last, lasts, most, cutoff=0.75)]


def class_options(words: Sequence[str]) -> list[str]:
    """The options of the classes that the configurations of a command name, such as `data.init_args.source.init_args.size`."""
    found: dict[str, Any] = {}
    for file in config_files(words):
        try:
            _merge(found, load_bounded(Path(file).read_text(encoding="utf-8")))
        except (OSError, ValueError, yaml.YAMLError):
            continue
    return list(_walk(found, ""))


def config_files(words: Sequence[str]) -> list[str]:
    """The files of `--config` in a command; those that are shipped by their paths."""
    words = with_shipped_configs(words)
    after = [words[place + 1] for place, word in enumerate(words[:-1]) if word in ("--config", "-c")]
    return after + [word.partition("=")[2] for word in words if word.startswith(("--config=", "-c="))]


def _merge(into: dict[str, Any], more: Any) -> None:
    for name, value in more.items() if isinstance(more, dict) else ():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _walk(node: Any, path: str) -> Iterator[str]:
    """The options below a value of a configuration: those of a class that it names."""
    if not isinstance(node, dict):
        return
    if isinstance(node.get("class_path"), str):
        given, prefix = node.get("init_args") or {}, f"{path}.init_args." if path else ""
        for name, kind in _arguments(node["class_path"]).items():
            yield f"{prefix}{name}"
            yield from (f"{prefix}{name}.{field}" for field in _fields(kind))
            yield from _walk(given.get(name) if isinstance(given, dict) else None, f"{prefix}{name}")
        return
    for name, value in node.items():
        yield from _walk(value, f"{path}.{name}" if path else str(name))


def _arguments(class_path: str) -> dict[str, Any]:
    """The arguments of one of our classes and their kinds; nothing else is imported."""
    module, _, name = class_path.rpartition(".")
    if not module.startswith(_OURS):
        return {}
    try:
        found = getattr(importlib.import_module(_OURS_ROOT + module.removeprefix("framecast")), name)
        kinds = get_type_hints(found.__init__)
        return {argument: kinds.get(argument) for argument in list(inspect.signature(found).parameters)}
    except (ImportError, AttributeError, TypeError, ValueError, NameError):
        return {}


_OURS_ROOT = __name__.split(".")[0]


def _fields(kind: Any) -> list[str]:
    """The settings of a dataclass, also of one that may be left out."""
    for each in (kind, *get_args(kind)):
        if is_dataclass(each):
            return [field.name for field in fields(each) if field.default is not MISSING or field.init]
    return []
