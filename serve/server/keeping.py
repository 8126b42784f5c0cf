"""`Keeping`: snapshots of a running stream are kept, so that another server can go on with it."""

import asyncio
import logging

from ...sample import Frame
from ..engine.channel import Channel
from ..protocol.errors import TAKEN_OVER, ServeError
from .host import Host
from .store import Kept

log = logging.getLogger("framecast.serve")


class Keeping:
    """Keeps the snapshots of one stream. It begins with the first call of `keep`, and more follow as the stream plays.

    Without a store, and while the store is out of reach, nothing is kept, and the stream goes on.

    Args:
        host: The server, and its store.
        id: The stream's name.
        owner: By which name the store knows that this is who makes its frames.
        channel: The stream's frames; ended if the stream has another owner by now.
    """

    def __init__(self, host: Host, id: str, owner: str, channel: Channel):
        self._host, self._store, self._id, self._owner, self._channel = host, host.store, id, owner, channel
        self._task: asyncio.Task[None] | None = None
        self._from = 0  # latent index
        self._one_keeps = asyncio.Lock()  # the snapshot that is put last is the latest

    async def keep(self) -> None:
        """Keeps a snapshot that begins with the first frame that the reader may not have.

        Raises:
            ServeError: The engine has gone.
        """
        if self._store is None:
            return
        self._channel.remembers = True
        async with self._one_keeps:
            seed = self._channel.stream.seed
            (copy,) = await self._host.engine.run(lambda: self._channel.branch([seed], unconfirmed=True))
            kept = Kept(copy.next_index, self._channel.span.stop, await asyncio.to_thread(copy.snapshot))
            try:
                if not await self._store.put(self._id, self._owner, kept):
                    self._channel.end(ServeError(*TAKEN_OVER))
            except ConnectionError as error:
                log.warning("a stream goes on without a snapshot: %s", error)

    async def keep_again(self) -> None:
        """Keeps a snapshot, if any was kept before: what was confirmed since must not be forgotten."""
        if self._channel.remembers:
            await self.keep()

    def follow(self, frame: Frame) -> None:
        """Keeps a snapshot every so many latent frames, beside the sending of the frames."""
        idle = self._task is None or self._task.done()
        if self._channel.remembers and idle and frame.latent_index >= self._from:
            if self._from:  # the first one was kept before it played
                self._task = asyncio.create_task(self._keep_quietly())
            self._from = frame.latent_index + self._host.snapshot_every

    async def end(self, drop: bool) -> None:
        """Keeps no more.

        Args:
            drop: Nobody will want to go on with the stream: forget its snapshot too.
        """
        if self._task is not None:
            self._task.cancel()
        if drop and self._store is not None and self._channel.remembers:
            try:
                await self._store.drop(self._id, self._owner)
            except ConnectionError:
                pass  # then it is forgotten when there are too many

    async def _keep_quietly(self) -> None:
        try:
            await self.keep()
        except ServeError:
            pass  # the engine has gone; who plays the stream sees it
