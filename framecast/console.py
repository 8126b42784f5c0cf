"""What a command has around it: standard streams that may be closed, warnings in one line, signals."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from .notices import Stopped

BROKEN_PIPE = 128 + signal.SIGPIPE
"""The exit status if nobody reads standard output any more, as of any program."""


def open_standard_streams() -> None:
    """Lets nothing fail that is written to a stream that is closed, or that cannot show a letter.

    If a shell closed one (`>&-`), the next file to be opened would take its place and get what is meant for it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Writes out what waits for standard output, so that a failure is known in time."""
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise OSError(error.errno, error.strerror, "standard output") from error


def drop_output() -> None:
    """Lets the rest of standard output vanish: it cannot be written, and Python would say so once more at its end."""
    try:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, sys.stdout.fileno())
        os.close(silent)
    except (OSError, ValueError, AttributeError):
        pass  # it is no file of the system


def say(message: object) -> None:
    """One line on standard error, which may be closed."""
    try:
        print("framecast:", " ".join(str(message).split()), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass  # nobody listens


@contextmanager
def said_if_long(what: str, seconds: float = 5.0) -> Iterator[None]:
    """Says what is done if it takes longer than that, so that nobody wonders."""
    timer = threading.Timer(seconds, say, [f"{what} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def warnings_in_one_line(*kinds: type[Warning]) -> Iterator[None]:
    """Says each warning of some kinds once, as errors are said."""
    with warnings.catch_warnings():
        show, said = warnings.showwarning, set[str]()
        for kind in kinds:
            warnings.simplefilter("always", kind)

        def show_in_one_line(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, kinds):
                show(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                say(f"warning: {message}")

        warnings.showwarning = show_in_one_line
        yield


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM leave as an exception does, so that files become whole or vanish; the exit status is its own."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise Stopped(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not in the main thread, where signals arrive
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
