"""The text of configurations: how much of it is read, and how far its aliases may unfold it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonargparse
import yaml

from ..data.reading import read_regular
from .renamed import with_new_names

MAX_BYTES = 2**20
"""Size of one configuration file at most; those that are shipped have some 2,000 bytes."""
_MAX_VALUES, _MAX_DEPTH = 100_000, 50
_plain_load = jsonargparse.get_loader("yaml")
_plain_read = jsonargparse.Path.read_text


def load_bounded(text: str) -> Any:
    """The values of YAML, as jsonargparse reads it: plain ones only.

    Raises:
        yaml.YAMLError: It is no YAML, too long, nested too deep, or its aliases unfold into too much.
    """
    if len(text) > MAX_BYTES:
        raise yaml.YAMLError(f"got {len(text)} characters of settings; wanted at most {MAX_BYTES}")
    _check_unfolded(text)
    try:
        return with_new_names(_plain_load(text))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from error


def use_bounded_loader() -> None:
    """Has jsonargparse read all its YAML in this way."""
    jsonargparse.set_loader("yaml", load_bounded, (yaml.YAMLError,))


@contextmanager
def bounded_reading() -> Iterator[None]:
    """Inside, a configuration file that is a pipe, a device or too large is refused and not read.

    jsonargparse opens files in five places and has one method for it, and no setting.
    """
    jsonargparse.Path.read_text = _read  # type: ignore[method-assign]
    try:
        yield
    finally:
        jsonargparse.Path.read_text = _plain_read  # type: ignore[method-assign]


def _read(self: jsonargparse.Path) -> str:
    if str(self) == "-":
        return _plain_read(self)
    try:
        return read_regular(self.absolute, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{self.absolute} is no text in UTF-8 ({error.reason}); wanted settings in YAML; save it anew"
        ) from error


def _check_unfolded(text: str) -> None:
    """Counts values, each alias as all that it stands for; by events, since those nest nothing in memory."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # the anchor and the values before, of each that is not at its end
    count = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise yaml.YAMLError(f"the alias *{event.anchor} stands for nothing, or for itself")
            count += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            sizes.pop(event.anchor or "", None)
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = count - before
        if count > _MAX_VALUES or len(open_nodes) > _MAX_DEPTH:
            raise yaml.YAMLError(f"it unfolds into more than {_MAX_VALUES} values, or {_MAX_DEPTH} levels of them")
