"""`Turns`: a lock that is fair."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is had in the order in which it is asked for: a thread that takes it again at once waits for others."""

    def __init__(self) -> None:
        self._door, self._lock = threading.Lock(), threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Holds the lock."""
        with self._door:
            self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()
