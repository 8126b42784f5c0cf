"""Rows of figures: what was tried, how often, what passed, and the worst time and memory."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType

Attempt = Callable[[], object]
MOST_SECONDS = 1.0
MOST_MIB = 256.0
_HANG_SECONDS = 60
HEADER = "| what | n | passed | worst time, s | worst memory, MiB |\n|---|---|---|---|---|"


@dataclass
class Row:
    """One line of a table.

    Attributes:
        what: What was tried.
        count: How often.
        passed: How many ended as they should.
        seconds: Worst time: of the processor for files, of the clock for trainings.
        mib: Worst memory above what the process had; None if it was not measured.
        wrong: What did not pass, and how it ended.
    """

    what: str
    count: int = 0
    passed: int = 0
    seconds: float = 0.0
    mib: float | None = None
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, problem: str | None, seconds: float, mib: float | None = None) -> None:
        """Counts one attempt."""
        self.count += 1
        self.passed += problem is None
        self.seconds = max(self.seconds, seconds)
        if mib is not None:
            self.mib = max(self.mib or 0.0, mib)
        if problem is not None:
            self.wrong.append(f"{name}: {problem}")

    def __str__(self) -> str:
        memory = "" if self.mib is None else f"{self.mib:.0f}"
        return f"| {self.what} | {self.count:,} | {self.passed:,} | {self.seconds:.2f} | {memory} |"


def judge(attempt: Attempt, errors: type[Exception] | tuple[()], accepted: bool) -> str | None:
    """What is wrong with how an attempt ends; None if it is refused with the right error, or accepted and may be."""
    try:
        attempt()
    except errors:
        return None
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None if accepted else "accepted"


def try_here(row: Row, attempts: Iterable[tuple[str, Attempt]], errors: type[Exception], accepted: bool = False) -> Row:
    """Attempts in this process, each of which may take `_HANG_SECONDS` of the clock and no more."""
    before = signal.signal(signal.SIGALRM, _hang)
    try:
        for name, attempt in attempts:
            signal.alarm(_HANG_SECONDS)
            start = time.process_time()
            problem = judge(attempt, errors, accepted)
            row.add(name, problem, time.process_time() - start)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return row


def try_apart(
    row: Row,
    attempts: Iterable[tuple[str, Attempt]],
    errors: type[Exception] | tuple[()],
    most_seconds: float = MOST_SECONDS,
    most_mib: float = MOST_MIB,
    accepted: bool = False,
) -> Row:
    """Attempts each in a process of its own, which may take so much processor time and more memory."""
    for name, attempt in attempts:
        read, write = os.pipe()
        if (child := os.fork()) == 0:
            _attempt_and_leave(write, attempt, errors, accepted)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            start, _, said = pipe.read().decode(errors="replace").partition(" ")
        _, status, usage = os.wait4(child, 0)
        seconds, mib = usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss / 1024 - float(start or "nan"), 0.0)
        problem = said or (f"ended with status {status}" if status else None)
        if problem is None and (seconds > most_seconds or mib > most_mib):
            problem = f"took {seconds:.2f} s and {mib:.0f} MiB"
        row.add(name, problem, seconds, mib)
    return row


def _attempt_and_leave(write: int, attempt: Attempt, errors: type[Exception] | tuple[()], accepted: bool) -> None:
    signal.alarm(_HANG_SECONDS)
    os.write(write, f"{_resident_mib()} ".encode())  # here, since a new process has not all pages of the old one
    os.write(write, (judge(attempt, errors, accepted) or "").encode()[:4000])
    os._exit(0)


def _hang(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"not done after {_HANG_SECONDS} s")


def _resident_mib() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
