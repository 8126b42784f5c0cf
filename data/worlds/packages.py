"""The packages of environments, each imported when it is needed, with an error that says how to install it."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import TYPE_CHECKING, Any

from ..foreign import FAILURES, told

INSTALL = "pip install 'framecast[worlds]'"


class WorldError(ValueError):
    """An environment that cannot be had, or that failed while it ran; the message says which, where and what to do."""


@contextmanager
def needing(package: str) -> Iterator[None]:
    """Around the import of a package that some environments need.

    Raises:
        WorldError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise WorldError(f"got no package {package} ({error}); an environment needs it; install it: {INSTALL}") from error


class _Late:
    """A module that is imported when something of it is first needed: a recording is read without it."""

    def __init__(self, module: str):
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        with needing(self._module):
            return getattr(importlib.import_module(self._module), name)


if TYPE_CHECKING:
    import gymnasium
else:
    gymnasium = _Late("gymnasium")

__all__ = ["FAILURES", "INSTALL", "WorldError", "changed_versions", "gymnasium", "needing", "told", "versions_of"]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The packages of every module that is installed; asking takes half a second."""
    return packages_distributions()


def changed_versions(versions: Mapping[str, str]) -> list[str]:
    """What is installed now in another version than then, such as "gymnasium 1.3.0, now 1.4.0"."""
    changed = []
    for name, then in versions.items():
        try:
            now = version(name)
        except PackageNotFoundError:
            now = "not installed"
        changed += [f"{name} {then}, now {now}"] if now != then else []
    return changed


def versions_of(*modules: str) -> dict[str, str]:
    """The versions of what is installed of some modules, by the names of their packages."""
    known = _distributions()
    found = {}
    for name in sorted({package for module in modules for package in known.get(module.split(".")[0], ())}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
