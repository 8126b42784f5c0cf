"""Ctrl-C and SIGTERM: a run ends at the next moment at which nothing is lost, with the exit status of the signal."""

import multiprocessing
import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal ended the run; what is to be kept is kept.

    Args:
        number: The signal.
    """

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status that belongs to it."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


class StopSignals:
    """Turns the first signal into `Stopped`: at once, or while a step is `held`, when somebody asks for it.

    Signals that come soon after the first mean the same. A later one ends the process there and then: whatever is being written
    is replaced whole or not at all. Use as a context manager. Signals reach the main thread only; elsewhere it does nothing.

    Args:
        grace: Seconds after the first signal in which others change nothing.
    """

    def __init__(self, grace: float = 5.0) -> None:
        self.number: int | None = None
        """The signal that has come, if one did."""
        self._grace, self._since = grace, 0.0
        self._held = False
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(self, *_) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def install(self) -> None:
        """Takes the signals over, also from who took them in between."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.signal(number, self._arrive)
                self._handlers.setdefault(number, before)

    def hold(self) -> None:
        """From here on a signal waits."""
        self._held = True

    def release(self) -> None:
        """From here on a signal is raised where it comes; one that has waited is raised now."""
        self._held = False
        if self.number is not None:
            raise Stopped(self.number)

    def _arrive(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            if time.monotonic() - self._since >= self._grace:
                end_children()
                os._exit(128 + self.number)
            return
        self.number, self._since = number, time.monotonic()
        if not self._held:
            raise Stopped(number)


def end_children() -> None:
    """Ends the processes of loaders, also those that hang and those that ignore the signals of a terminal."""
    children = multiprocessing.active_children()
    if not children:
        return
    main = threading.current_thread() is threading.main_thread()
    watched = signal.signal(signal.SIGCHLD, signal.SIG_DFL) if main else None  # torch would take their end for a failure
    for child in children:
        child.kill()
    for child in children:
        child.join(1)
    if main:
        signal.signal(signal.SIGCHLD, watched)
