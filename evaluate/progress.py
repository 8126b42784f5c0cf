"""How far long work is: bars on a terminal, lines elsewhere, so that a log is never silent for long."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich import progress as bars
from rich.console import Console

from .study import Progress

T = TypeVar("T")
_SECONDS = 10.0  # between two lines


@contextmanager
def shown_progress(transient: bool = False) -> Iterator[Callable[[str], Progress]]:
    """Gives what begins a piece of work: its name in, what takes its shares out.

    Args:
        transient: Whether the bars vanish at the end.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines
        return
    columns = (bars.BarColumn(), bars.TaskProgressColumn(), bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    name_column = bars.TextColumn("{task.description}", markup=False)
    with bars.Progress(name_column, *columns, console=console, transient=transient) as bar:

        def begin(name: str) -> Progress:
            task = bar.add_task(name, total=1.0)
            return lambda share: bar.update(task, completed=share)

        yield begin


def tracked(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, with the progress through them shown."""
    with shown_progress(transient=True) as begin:
        update = begin(what)
        for number, item in enumerate(items, 1):
            yield item
            update(number / len(items))


class Lines:
    """The progress of one piece of work as lines on standard error: as it begins, every ten seconds, and as it ends.

    Args:
        name: What is done.
    """

    def __init__(self, name: str):
        self.name, self.started, self._is_done = name, time.monotonic(), False
        self._last = self.started
        self._say("begins")

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if self._is_done or (share < 1 and now - self._last < _SECONDS):
            return
        self._last, self._is_done = now, share >= 1
        self._say(f"{'done' if self._is_done else f'{100 * share:.0f} %'} after {now - self.started:.0f} s")

    def _say(self, what: str) -> None:
        if sys.stderr is not None:
            print(f"{self.name}: {what}", file=sys.stderr, flush=True)
