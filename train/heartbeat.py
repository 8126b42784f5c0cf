"""`Heartbeat`: a word every ten seconds in which a training would be silent."""

import threading
import time
from typing import Self

from ..progress import last_line

_SILENCE = 10.0  # seconds
_LOOK = 1.0


class Heartbeat:
    """Says what a run is at, and for how long, after each ten seconds in which nobody else has said anything.

    Use as a context manager. Before, after, and while a bar moves, it says nothing.

    Args:
        silence: Seconds.
    """

    def __init__(self, silence: float = _SILENCE):
        self._silence = silence
        self._what, self._has_bar = "starting", False
        self._since = self._heard = time.monotonic()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.at(self._what)
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def at(self, what: str, has_bar: bool = False) -> None:
        """From here on the run is at something else; `has_bar` says whether that shows by itself."""
        self._what, self._has_bar = what, has_bar
        self._since = self._heard = time.monotonic()

    def heard(self) -> None:
        """Something was said, or done that says enough."""
        self._heard = time.monotonic()

    def _watch(self) -> None:
        while not self._end.wait(min(_LOOK, self._silence / 4)):
            now = time.monotonic()
            if not self._has_bar and now - max(self._heard, last_line()) >= self._silence:
                self._heard = now
                print(f"{self._what}: {now - self._since:.0f} s so far", flush=True)
