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
def shown_progress(lines: "type[Lines]", transient: bool = False) -> Iterator[Callable[[str], Progress]]:
    """Gives what begins a piece of work: its name in, what takes its shares out.

    Args:
        lines: What is written if there is no terminal.
        transient: Whether the bars vanish at the end.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lines
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
    with shown_progress(Lines, transient=True) as begin:
        update = begin(what)
        for number, item in enumerate(items, 1):
            yield item
            update(number / len(items))


class Lines:
    """The progress of one piece of work as lines on standard error, one every ten seconds.

    Args:
        name: What is done.
    """

    def __init__(self, name: str):
        self.name, self.started = name, time.monotonic()
        self._last = self.started

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS:
            self._last = now
            self._say(f"{100 * share:.0f} % after {now - self.started:.0f} s")

    def _say(self, what: str) -> None:
        if sys.stderr is not None:
            print(f"{self.name}: {what}", file=sys.stderr, flush=True)


class AllLines(Lines):
    """As `Lines`, with one as the work begins and one as it ends."""

    def __init__(self, name: str):
        super().__init__(name)
        self._is_done = False
        self._say("begins")

    def __call__(self, share: float) -> None:
        if share < 1:
            super().__call__(share)
        elif not self._is_done:
            self._is_done = True
            self._say(f"done after {time.monotonic() - self.started:.0f} s")
