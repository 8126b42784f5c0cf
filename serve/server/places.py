"""`Places`: how many streams a server may have, and who has a place."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..protocol.errors import DRAINING, ServeError


class Place:
    """One of the places of a server; given back once, however often that is said.

    Attributes:
        since: When it was asked for, by the monotonic clock in seconds.
    """

    def __init__(self, on_release: Callable[[], None]):
        self._on_release: Callable[[], None] | None = on_release
        self.since = time.monotonic()

    def release(self) -> None:
        """Gives it back."""
        give_back, self._on_release = self._on_release, None
        if give_back is not None:
            give_back()


class Places:
    """The places of a server.

    Args:
        capacity: Places at most.

    Attributes:
        taken: Places that are taken.
        closed: Whether the server is going down, and gives none.
    """

    def __init__(self, capacity: int):
        self._capacity, self.taken, self.closed = capacity, 0, False

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self._capacity - self.taken

    def admit(self) -> Place:
        """A place, at once or not at all.

        Raises:
            ServeError: None is free, or the server is going down.
        """
        if self.closed:
            raise ServeError(*DRAINING)
        if self.free <= 0:
            raise ServeError("server_full", f"all {self._capacity} places are taken; try again in a while")
        self.taken += 1
        return Place(self._give_back)

    @contextmanager
    def admitted(self) -> Iterator[Place]:
        """A place as by `admit`, which is given back if what follows fails."""
        place = self.admit()
        try:
            yield place
        except BaseException:
            place.release()
            raise

    def _give_back(self) -> None:
        self.taken -= 1
