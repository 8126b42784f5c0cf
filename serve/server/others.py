"""`Others`: the other servers of a cluster, and the streams that run there."""

from collections.abc import AsyncIterator
from typing import Protocol

from ..protocol.errors import ServeError


class Steerable(Protocol):
    """A running stream, here or on another server."""

    async def set_prompt(self, text: str) -> tuple[int, str]:
        """Changes the prompt; returns the first frame for which it holds, and what it was taken for."""

    def fragments(self) -> AsyncIterator[bytes]:
        """The frames from now on, as the pieces of an mp4."""

    async def close(self, error: ServeError | None = None, drop: bool = False) -> None:
        """Ends it."""


class Others(Protocol):
    """The other servers of a cluster."""

    async def find(self, id: str) -> Steerable | None:
        """A stream that runs on one of them, if there is such a one."""
