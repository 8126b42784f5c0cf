"""`Audience`: those who watch a stream that somebody else plays."""

import asyncio
from collections.abc import AsyncIterator

from ...sample import Frame
from ..protocol.errors import ServeError
from .encoding import Mp4Encoder

_AHEAD = 48  # frames that may wait for a watcher before it is let go


class Audience:
    """The watchers of one stream. Each gets every frame from the moment it came, and none holds the stream up."""

    def __init__(self) -> None:
        self._watchers = set[asyncio.Queue[Frame | None]]()
        self._there, self._over = asyncio.Event(), False

    def watch(self) -> asyncio.Queue[Frame | None]:
        """A queue that gets every frame from now on, `None` at the end or if it is not emptied in time."""
        frames: asyncio.Queue[Frame | None] = asyncio.Queue(_AHEAD + 1)
        self._watchers.add(frames)
        self._there.set()
        if self._over:
            self.end()
        return frames

    def unwatch(self, frames: asyncio.Queue[Frame | None]) -> None:
        """Ends a queue of `watch`."""
        self._watchers.discard(frames)
        if not self._watchers:
            self._there.clear()

    def show(self, frame: Frame) -> None:
        """Gives a frame to all who watch; lets go of those who are too slow."""
        for frames in list(self._watchers):
            if frames.qsize() >= _AHEAD:
                self._let_go(frames)
            else:
                frames.put_nowait(frame)

    def end(self) -> None:
        """There are no more frames, for those who watch and for those who come later."""
        self._over = True
        for frames in list(self._watchers):
            self._let_go(frames)

    async def wait(self, seconds: float) -> bool:
        """Waits until someone watches; says whether it had to.

        Raises:
            ServeError: Nobody came in so many seconds.
        """
        waited = not self._there.is_set()
        try:
            async with asyncio.timeout(seconds):  # wait_for can lose a cancellation in Python 3.11
                await self._there.wait()
        except TimeoutError:
            raise ServeError("idle", f"nobody watched for {seconds:g} s") from None
        return waited

    async def fragments(self, height: int, width: int, fps: float) -> AsyncIterator[bytes]:
        """The frames from now on, as the pieces of an mp4 of this size and rate."""
        frames, encoder = self.watch(), Mp4Encoder(height, width, fps)
        try:
            while (frame := await frames.get()) is not None:
                yield await encoder.encode(frame)
            yield await encoder.finish()
        finally:
            self.unwatch(frames)

    def _let_go(self, frames: asyncio.Queue[Frame | None]) -> None:
        self.unwatch(frames)
        frames.put_nowait(None)
