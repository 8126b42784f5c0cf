"""How far long work is: a bar on a terminal, lines elsewhere, so that nothing is silent for more than ten seconds.

Every room may import this module, which knows nothing of ours.
"""

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

T = TypeVar("T")
SHORT = 2.0
"""Seconds of work about which nothing is said."""
EVERY = 9.0
"""Seconds between two lines: on a busy machine a line comes a little late, and still before ten have passed."""


class Task:
    """A piece of work, which says how far it is while it lasts; a context manager.

    After two seconds a bar appears on a terminal. If standard error is no terminal, a line is written, then one every nine
    seconds, and one at the end. The lines come from a thread, so they come too if a single step takes minutes. Of works within
    others, the innermost is the one that writes lines.

    Args:
        what: What is done, such as "reading my_videos".
        total: How much there is to do; `None` if nobody knows.
        unit: What is counted, such as "files"; empty for shares, which are said in percent.

    Attributes:
        done: How much of the total is done; never falls.
    """

    def __init__(self, what: str, total: float | None = None, unit: str = ""):
        self.what, self.total, self.unit, self.done = what, total, unit, 0.0
        self._ended = threading.Event()
        self._display: _Bar | _Lines = _Lines(self)

    def __enter__(self) -> "Task":
        self._started = time.monotonic()
        self._display = _Bar(self) if _on_terminal() else _Lines(self)
        with _lock:
            _under_way.append(self)
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self._ended.set()
        with _lock:
            if self in _under_way:
                _under_way.remove(self)
            self._display.end(whole=kind is None)

    def advance(self, by: float = 1) -> None:
        """So much more is done."""
        self.reach(self.done + by)

    def reach(self, done: float) -> None:
        """So much is done, of the total."""
        self.done = max(self.done, done)
        self._display.note()

    def look(self) -> float:
        """Says how far the work is, if that is due; returns the seconds until it may be due again."""
        with _lock:
            left = self._display.due()
            if left <= 0 and not self._ended.is_set():
                self._display.say()
            return max(left, 0.05)

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._started

    def counted(self) -> str:
        """How far it is: "12 of 120 files", "37 %", or for how long, such as "12 s so far"."""
        if self.total is None:
            return f"{self.done:,.0f} {self.unit}" if self.unit else f"{spoken_time(self.seconds)} so far"
        if self.unit:
            return f"{self.done:,.0f} of {self.total:,.0f} {self.unit}"
        return f"{100 * self.done / max(self.total, 1e-9):.0f} %"

    def left(self) -> str:
        """About how long it will take still; empty if nobody knows."""
        if not self.total or not 0 < self.done < self.total:
            return ""
        return f"about {spoken_time(self.seconds * (self.total / self.done - 1))} left"

    def _watch(self) -> None:
        while not self._ended.wait(self.look()):
            pass


def tracked(items: Iterable[T], what: str, total: float | None = None, unit: str = "") -> Iterator[T]:
    """The items, with the progress through them shown.

    Args:
        items: What is worked on.
        what: What is done with them.
        total: How many there are, if they have no length.
        unit: What they are, such as "files".
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Task(what, total, unit) as task:
        for item in items:
            yield item
            task.advance()


def last_line() -> float:
    """When any work wrote its last line, as `time.monotonic()`."""
    return _Lines._last


def spoken_time(seconds: float) -> str:
    """A time as it is said: "40 s", "3 min", "1.5 h"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


class _Lines:
    """Lines on standard error, which may be closed."""

    _last = 0.0
    """When any work wrote the last one."""

    def __init__(self, task: Task):
        self.task, self._has_spoken = task, False

    def due(self) -> float:
        """Seconds until a line is due; 0 or less if it is."""
        if _under_way and _under_way[-1] is not self.task:
            return SHORT
        now, started = time.monotonic(), self.task._started
        last = max(_Lines._last, started)
        return last + EVERY - now if self._has_spoken else min(started + SHORT, last + EVERY) - now

    def say(self) -> None:
        """How far the work is."""
        self._write(", ".join(filter(None, (self.task.counted(), self.task.left()))))

    def note(self) -> None:
        """A line comes when its time has come."""

    def end(self, whole: bool) -> None:
        """That the work is done, if it has spoken before."""
        if whole and self._has_spoken:
            self._write(f"done after {spoken_time(self.task.seconds)}")

    def _write(self, how_far: str) -> None:
        self._has_spoken, _Lines._last = True, time.monotonic()
        try:
            print(f"{self.task.what}: {how_far}", file=sys.stderr, flush=True)
        except (OSError, ValueError, AttributeError):
            pass  # nobody listens


class _Bar:
    """A row of the terminal's one live display, which is there while any work has lasted for two seconds."""

    _display: Any = None
    _rows = 0

    def __init__(self, task: Task):
        self.task, self._row = task, None

    def due(self) -> float:
        """Seconds until the bar appears; it then moves by itself."""
        return self.task._started + SHORT - time.monotonic() if self._row is None else SHORT

    def say(self) -> None:
        """Shows the bar."""
        if _Bar._display is None:
            _Bar._display = _live_display()
            _Bar._display.start()
        self._row = _Bar._display.add_task(self.task.what, total=self.task.total, counted="")
        _Bar._rows += 1
        self.note()

    def note(self) -> None:
        """Moves the bar."""
        if self._row is not None:
            counted = "" if self.task.total is None and not self.task.unit else self.task.counted()
            how_far = ", ".join(filter(None, (counted, self.task.left())))
            _Bar._display.update(self._row, completed=self.task.done, counted=how_far)

    def end(self, whole: bool) -> None:
        """Removes the bar, and with the last one the display."""
        if self._row is None:
            return
        _Bar._display.remove_task(self._row)
        self._row, _Bar._rows = None, _Bar._rows - 1
        if not _Bar._rows:
            _Bar._display.stop()
            _Bar._display = None


def _live_display() -> Any:
    """Bars on standard error that fit a terminal of 80 columns and leave no trace."""
    from rich import progress as bars  # a tenth of a second, which short work need not pay
    from rich.console import Console
    from rich.table import Column

    what = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return bars.Progress(
        bars.TextColumn("{task.description}", markup=False, table_column=what),
        bars.BarColumn(16),
        bars.TextColumn("{task.fields[counted]}", markup=False, justify="right"),
        bars.TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=4,
        transient=True,
        redirect_stdout=bool(sys.stdout and sys.stdout.isatty()),  # what is written into a file stays there
        expand=True,
    )


def _on_terminal() -> bool:
    """Whether standard error is a terminal on which a bar can be drawn."""
    try:
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    except (AttributeError, ValueError):
        return False  # it is closed


_lock = threading.RLock()
_under_way: list[Task] = []
"""The innermost comes last."""


def _forget() -> None:
    """A process that was forked has none of the threads."""
    global _lock
    _lock = threading.RLock()
    _under_way.clear()
    _Bar._display, _Bar._rows = None, 0


os.register_at_fork(after_in_child=_forget)
