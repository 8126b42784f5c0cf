"""How far long work is: a bar on a terminal, and lines elsewhere, so that a log is never silent for long."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
_SECONDS = 10.0  # between two lines
_last_line = 0.0  # of this process


def last_line() -> float:
    """When a line of progress was written last, as `time.monotonic()`."""
    return _last_line


class Ticker:
    """Writes a line on standard error if no line of progress was written for ten seconds.

    Args:
        what: What is done.
    """

    def __init__(self, what: str):
        self.what, self.started = what, time.monotonic()

    def __call__(self, how_far: str) -> None:
        """Says how far the work is, if it is time."""
        global _last_line
        now = time.monotonic()
        if now - max(self.started, _last_line) >= _SECONDS:
            _last_line = now
            print(f"{self.what}: {how_far} after {now - self.started:.0f} s", file=sys.stderr, flush=True)


def tracked(items: Iterable[T], total: int, what: str, unit: str, transient: bool = False) -> Iterator[T]:
    """The items, with a bar on a terminal and a line every ten seconds elsewhere.

    Args:
        items: What is worked on, one after the other.
        total: How many there are.
        what: What is done.
        unit: What the items are, in the plural.
        transient: Whether the bar vanishes at the end.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(items, what, total, console=console, transient=transient)
        return
    ticker = Ticker(what)
    for number, item in enumerate(items, 1):
        yield item
        left = (time.monotonic() - ticker.started) / number * (total - number)
        ticker(f"{number:,} of {total:,} {unit}, about {left:.0f} s left,")
