"""`Workers`: processes that each play episodes, one after the other; a process that dies takes one episode with it."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

from ...notices import Stopped

T = TypeVar("T")
R = TypeVar("R", covariant=True)
_PATIENCE = 20.0
"""Seconds that a process has to end: on a busy machine an environment takes some to close."""


class Work(Protocol[R]):
    """What a process does, with what it holds open meanwhile."""

    def __call__(self, number: int) -> R:
        """The result for a number."""

    def close(self) -> None:
        """Ends what it holds open, such as an environment with processes and files of its own."""


@dataclass(frozen=True)
class Death:
    """What is given in the place of a result if a process ended."""

    exit_code: int | None


@dataclass(frozen=True)
class Refusal:
    """What is given in the place of a result if a process could not begin, or raised."""

    reason: str


class Workers(Generic[T]):
    """Processes that call one function with numbers.

    Args:
        count: How many.
        make: Makes the function, once in each process; both are sent there, so they have names of a module. It is closed
            before its process ends, unless that dies.
        arguments: What `make` is called with.
    """

    def __init__(self, count: int, make: Callable[..., Work[T]], arguments: tuple[Any, ...]):
        self._count, self._make, self._arguments = count, make, arguments
        self._busy: dict[Connection, tuple[BaseProcess, int]] = {}
        self._idle: list[tuple[Connection, BaseProcess]] = []

    def call(self, number: int) -> None:
        """Lets a process that has nothing to do work on a number."""
        connection, process = self._idle.pop() if self._idle else self._start()
        self._busy[connection] = (process, number)
        with suppress(OSError):  # it is dead, as its result will say
            connection.send(number)

    @property
    def has_room(self) -> bool:
        """Whether a further call would begin at once."""
        return len(self._busy) < self._count

    def results(self) -> Iterator[tuple[int, T | Death | Refusal]]:
        """Waits for one or more of the calls; gives their numbers, and what came of them."""
        for ready in wait(list(self._busy)):
            assert isinstance(ready, Connection)
            process, number = self._busy.pop(ready)
            try:
                result = ready.recv()
            except (EOFError, OSError):
                process.join(_PATIENCE)
                result = Death(process.exitcode)
                ready.close()
            else:
                self._idle.append((ready, process))
            yield number, result

    def close(self) -> None:
        """Ends the processes, also in the middle of their work; files that they were writing vanish."""
        for process, _ in self._busy.values():
            process.terminate()
        processes = [process for _, process in self._idle] + [process for process, _ in self._busy.values()]
        for connection in [*(connection for connection, _ in self._idle), *self._busy]:
            connection.close()  # who has nothing to do ends by that
        for process in processes:
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
        self._idle, self._busy = [], {}

    def _start(self) -> tuple[Connection, BaseProcess]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._make, self._arguments), daemon=True)
        with _deaf():
            process.start()
        theirs.close()
        return ours, process


def _work(connection: Connection, make: Callable[..., Work[Any]], arguments: tuple[Any, ...]) -> None:
    """What a process does: results for numbers, until nobody asks any more or it is told to end."""
    signal.signal(signal.SIGTERM, _leave)
    function: Work[Any] | None = None
    try:
        while True:
            number = connection.recv()
            try:
                function = function or make(*arguments)
                result = function(number)
            except Exception as error:
                result = Refusal(f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error))
            connection.send(result)
    except (EOFError, OSError):
        pass  # the other side has ended
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending as it is
        if function is not None:
            function.close()


def _leave(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut off what is being closed
    raise Stopped(128 + number)


@contextmanager
def _deaf() -> Iterator[None]:
    """A process that begins here never hears of Ctrl-C, which a terminal sends to all; the first process ends the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
