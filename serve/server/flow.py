"""How fast a client is served: `Clock` for when frames are due, `Credits` for those it wants, `Rate` for what it sends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..protocol.errors import ServeError

_BURST_SECONDS = 2.0  # of messages at the highest rate


class Clock:
    """When frames are due: at a rate from the first one on. Who is late by more than a frame is not hurried afterwards.

    Args:
        fps: Frames per second; `None` lets every frame be due at once.
    """

    def __init__(self, fps: float | None):
        self._fps = fps
        self._origin: float | None = None

    def restart(self) -> None:
        """Lets the next frame be due when it comes."""
        self._origin = None

    async def wait(self, index: int, sooner: Callable[[], Awaitable[None]] | None = None, frames: int = 0) -> float:
        """Waits until a frame is due; returns by how many seconds it is late.

        Args:
            index: Which frame.
            sooner: Waits for what cuts the waiting short; the frames after this one are due as before.
            frames: How many frames' time it may be cut short by.
        """
        if self._fps is None:
            return 0.0
        now = asyncio.get_running_loop().time()
        if self._origin is None:
            self._origin = now - index / self._fps
        late = now - self._origin - index / self._fps
        if late > 1 / self._fps:
            self._origin += late
        elif late < 0 and sooner is None:
            await asyncio.sleep(-late)
        elif late < 0 and sooner is not None:
            await asyncio.sleep(max(-late - frames / self._fps, 0.0))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(now - late):
                    await sooner()
        return max(late, 0.0)


class Credits:
    """How many frames the client still wants.

    Args:
        most: It can ask for at most this many ahead.
        stall_seconds: How long it may want none.
    """

    def __init__(self, most: int, stall_seconds: float):
        self._left, self._most, self._stall = 0, most, stall_seconds
        self._news = asyncio.Event()

    def give(self, frames: int) -> None:
        """Adds credit.

        Raises:
            ServeError: It is more than allowed.
        """
        if self._left + frames > self._most:
            raise ServeError("bad_message", f"got credit for {self._left + frames} frames; wanted at most {self._most} ahead")
        self._left += frames
        self._news.set()

    async def wait(self) -> bool:
        """Waits until a frame is wanted; says whether it had to.

        Raises:
            ServeError: That took too long.
        """
        waited = self._left <= 0
        while self._left <= 0:
            self._news.clear()
            try:
                async with asyncio.timeout(self._stall):  # wait_for can lose a cancellation in Python 3.11
                    await self._news.wait()
            except TimeoutError:
                raise ServeError(
                    "too_slow", f"no frame was asked for in {self._stall:g} s; give credit as frames are shown, or pause"
                ) from None
        return waited

    def spend(self) -> None:
        """Uses credit for a frame."""
        self._left -= 1


class Rate:
    """Refuses messages that come faster than a rate for long (a token bucket)."""

    def __init__(self, per_second: float):
        self._rate, self._most = per_second, per_second * _BURST_SECONDS
        self._left, self._seen = self._most, time.monotonic()

    def count(self) -> None:
        """Notes a message.

        Raises:
            ServeError: There were too many.
        """
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._seen) * self._rate) - 1
        self._seen = now
        if self._left < 0:
            raise ServeError("too_many_messages", f"got more than {self._rate:g} messages a second; send fewer")
