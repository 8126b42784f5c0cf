"""The notebook around us: whether there is one, its outputs, and when it has time."""

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol

_TICK = 0.5  # seconds


class Handle(Protocol):
    """An output of a cell that can be changed later, also from a thread."""

    def update(self, bundle: dict[str, object], /, *, raw: bool) -> None:
        """Shows something else, by mime type; a front end takes the richest one it knows."""


def in_notebook() -> bool:
    """Whether this Python is the kernel of a notebook, or of something else with pictures in its outputs."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    shell = get_ipython()
    return shell is not None and not isinstance(shell, TerminalInteractiveShell)


def open_output(bundle: dict[str, object]) -> Handle:
    """Adds an output to the cell that runs."""
    from IPython.display import display

    return display(bundle, raw=True, display_id=True)


def when_idle(seconds: float, then: Callable[[], None]) -> None:
    """Calls `then` once the kernel has been free for so long, in which it would have heard from a front end.

    Where the kernel has no asyncio loop, `then` is never called.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return

    def tick(due: float, free: float) -> None:
        was_busy = loop.time() - due > _TICK
        free = 0.0 if was_busy else free + _TICK
        if free >= seconds:
            then()
        else:
            loop.call_later(_TICK, tick, loop.time() + _TICK, free)

    loop.call_later(_TICK, tick, loop.time() + _TICK, 0.0)
