"""Which classes a configuration may name: those of this project and a few of its libraries', and what `--allow` adds.

jsonargparse asks its list before it imports anything, and again for the module in which the class that it found was
defined. So an allowed module is no door to what it has imported itself.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from jsonargparse import Namespace, set_parsing_settings

ALLOWED = (
    "framecast",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.pytorch.strategies",
    "torch.optim",
)
"""Packages whose classes any configuration may name."""

_OPTION = "--allow"
_widened: set[str] = set()  # jsonargparse keeps one list for the process, to which entries can only be added


def split_allowed(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments without each `--allow MODULE`, and these modules.

    Raises:
        ValueError: `--allow` comes without a module.
    """
    rest: list[str] = []
    modules: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == _OPTION:
            modules.append(next(waiting, ""))
        elif argument.startswith(f"{_OPTION}="):
            modules.append(argument.partition("=")[2])
        else:
            rest.append(argument)
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise ValueError(f"got `{_OPTION} {module}`; wanted a module, such as `{_OPTION} my_package.sources`")
    return rest, modules


def allow_only(modules: Sequence[str]) -> None:
    """From here on, configurations may name classes of `ALLOWED` and `modules`, and of nothing else.

    Raises:
        ValueError: A module may never be allowed, since it holds this very list.
    """
    narrowed = _widened - {*modules, *ALLOWED}
    set_parsing_settings(
        import_path_denylist=["*", *sorted(narrowed)],
        import_path_allowlist=[*ALLOWED, *modules],
        instantiate_subclass_spec_in_any=False,
        config_read_mode_urls_enabled=False,
        config_read_mode_fsspec_enabled=False,
    )
    _widened.update(modules)


def explain_refusal(message: str) -> str | None:
    """What to do if jsonargparse refused a class path; None if it refused something else."""
    found = re.search(r"Importing '([^']+)' is not allowed", message)
    if found is None:
        return None
    path = found[1]
    return (
        f"got the class path {path}, which is of none of {', '.join(ALLOWED)}; nothing of it was imported; if you trust its "
        f"code, add `{_OPTION} {path.rpartition('.')[0] or path}` to the command"
    )


def check_no_functions(config: Namespace) -> None:
    """Refuses what was named and is no class, before it is called.

    Raises:
        ValueError: A function, a method, a module, or an object in the place of a class.
    """
    for key, value in _leaves(config, ""):
        named = _find(value) if key.endswith("class_path") and isinstance(value, str) else value
        if inspect.isroutine(named) or inspect.ismodule(named) or isinstance(named, partial):
            raise ValueError(
                f"got {getattr(named, '__name__', named)} by name in `{key}`; wanted a class; functions are not called"
            )


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Namespace):
        value = vars(value)
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for number, child in enumerate(value):
            yield from _leaves(child, f"{key}[{number}]")
    else:
        yield key, value


def _find(path: str) -> Any:
    """What has this name in the modules that are loaded; None if nothing has."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:end]))
        if found is not None:
            for part in parts[end:]:
                found = getattr(found, part, None)
            return found
    return None
