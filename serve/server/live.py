"""`LiveStream`: a stream that is being served - paced, steered, kept, watched by others."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from ...sample import Frame, Stream
from ..protocol.errors import ServeError, as_serve_error
from .channel import Channel
from .encoding import Mp4Encoder
from .keeping import Kept

if TYPE_CHECKING:
    from .service import Place, Service

log = logging.getLogger("framecast.serve")

TAKEN_OVER = "another connection has taken this session over"
_WATCHED_AHEAD = 48  # frames that may wait for a watcher before it is let go


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

    async def wait(self, index: int) -> float:
        """Waits until a frame is due; returns by how many seconds it is late."""
        if self._fps is None:
            return 0.0
        now = asyncio.get_running_loop().time()
        if self._origin is None:
            self._origin = now - index / self._fps
        late = now - self._origin - index / self._fps
        if late > 1 / self._fps:
            self._origin += late
        elif late < 0:
            await asyncio.sleep(-late)
        return max(late, 0.0)


class LiveStream:
    """A stream with a place on the server.

    Args:
        service: Whose it is.
        place: Its place; given back when it is closed.
        channel: Its frames.
        id: Its name, which cannot be guessed; `None` makes one.
        owner: By which name the store knows that this is who makes its frames; `None` makes one.

    Attributes:
        next_index: Index of the frame that is sent next.
    """

    def __init__(self, service: "Service", place: "Place", channel: Channel, id: str | None = None, owner: str | None = None):
        self.service, self.channel, self.id = service, channel, id or secrets.token_urlsafe(16)
        self.owner = owner or service.new_owner()
        self.seed, self.params = channel.stream.own_state.seed, channel.stream.params
        self.next_index = channel.span.start
        self._place, self._watchers, self._resumed = place, set[asyncio.Queue[Frame | None]](), asyncio.Event()
        self._resumed.set()
        self._watched = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._keep_from = 0  # latent index
        self._one_keeps = asyncio.Lock()  # the snapshot that is put last is the latest
        self._asked_at: float | None = place.since
        self._sent_at: float | None = None

    async def play(self, fps: float | None, allow: Callable[[], Awaitable[bool]] | None = None) -> AsyncIterator[Frame]:
        """The frames, each when it is due; watchers get them at the same time.

        Args:
            fps: Frames per second; `None` is as fast as they are made.
            allow: Waits until another frame may be sent, and says whether it had to.

        Raises:
            ServeError: The stream failed.
        """
        clock = Clock(fps)
        while (waiting := await self.channel.peek()) is not None:
            if await self._unpaused() or (allow is not None and await allow()):
                clock.restart()
                self._sent_at = None
            late = await clock.wait(waiting.index)
            if not self._resumed.is_set():
                continue
            frame = self.channel.take()
            self.next_index = frame.index + 1
            self._measure(late)
            self._publish(frame)
            yield frame
            self._keep_sometimes(frame)
        self._publish(None)

    def watch(self) -> asyncio.Queue[Frame | None]:
        """A queue that gets every frame from now on, `None` at the end or where it is not emptied in time."""
        frames: asyncio.Queue[Frame | None] = asyncio.Queue(_WATCHED_AHEAD + 1)
        self._watchers.add(frames)
        self._watched.set()
        if self.service.streams.get(self.id) is not self:  # it has ended since it was found
            self._publish(None)
        return frames

    def unwatch(self, frames: asyncio.Queue[Frame | None]) -> None:
        """Ends a queue of `watch`."""
        self._watchers.discard(frames)
        if not self._watchers:
            self._watched.clear()

    async def broadcast(self) -> None:
        """Plays for those who watch, and for nobody else, until it ends or is left alone for too long."""
        drop = False
        try:
            async for frame in self.play(self.service.generator.fps, self._watchers_there):
                self.channel.confirm(frame.index + 1)
            drop = True
        except ServeError as error:
            self.channel.end(error)
            drop = error.code == "idle"
        finally:
            await self.close(drop=drop)

    async def fragments(self) -> AsyncIterator[bytes]:
        """The frames from now on, as the pieces of an mp4."""
        generator, frames = self.service.generator, self.watch()
        encoder = Mp4Encoder(generator.height, generator.width, generator.fps)
        try:
            while (frame := await frames.get()) is not None:
                yield await encoder.encode(frame)
            yield await encoder.finish()
        finally:
            self.unwatch(frames)

    def pause(self) -> None:
        """Makes and sends no more frames."""
        self.channel.paused = True
        self._resumed.clear()

    def resume(self) -> None:
        """Goes on."""
        self.channel.paused = False
        self._resumed.set()
        self.service.engine.wake()

    async def set_prompt(self, text: str) -> tuple[int, str]:
        """Changes the prompt; returns the first frame for which it holds, and what it was taken for.

        Raises:
            ServeError: The prompt cannot be followed; the old one stays.
        """

        def change() -> tuple[int, str]:
            return self.channel.stream.set_prompt(text), self.channel.stream.prompt

        await self.channel.until_start()
        try:
            changed = await self.service.engine.run(change)
        except ValueError as error:
            raise as_serve_error(error, "bad_prompt") from error
        if self.channel.remembers:
            await self.keep()  # a prompt that was confirmed must not be forgotten
        return changed

    async def keep(self) -> None:
        """Keeps a snapshot that begins with the first frame that the reader may not have; more follow as it plays.

        Without a store, and while it is out of reach, nothing is kept, and the stream goes on.
        """
        store = self.service.store
        if store is None:
            return
        self.channel.remembers = True
        async with self._one_keeps:
            copy = (await self.fork([self.seed], unconfirmed=True))[0]
            kept = Kept(copy.next_index, self.channel.span.stop, await asyncio.to_thread(copy.snapshot))
            try:
                if not await store.put(self.id, self.owner, kept):
                    self.channel.end(ServeError("wrong_state", TAKEN_OVER))
            except ConnectionError as error:
                log.warning("a stream goes on without a snapshot: %s", error)

    async def snapshot(self) -> tuple[int, bytes]:
        """The first frame that the restored stream gives, and the stream as bytes."""
        copy = (await self.fork([self.seed]))[0]
        return copy.next_index, await asyncio.to_thread(copy.snapshot)

    async def fork(self, seeds: list[int], unconfirmed: bool = False) -> list[Stream]:
        """Other futures from the next frame on, or from the first one that the reader may not have."""

        def copy() -> list[Stream]:
            with self.channel.whole_stream(unconfirmed) as stream:
                return stream.branch(seeds)

        if not unconfirmed:
            await self.channel.until_start()
        return await self.service.engine.run(copy)

    async def close(self, error: ServeError | None = None, drop: bool = False) -> None:
        """Ends it, and gives its place back.

        Args:
            error: Why, for who reads it.
            drop: Nobody will want to go on with it: forget its snapshot too.
        """
        self.channel.end(error)
        if self._keeping is not None:
            self._keeping.cancel()
        if drop:
            await self._forget_snapshot()
        try:
            await self.service.engine.close(self.channel)
        except ServeError:
            pass  # the engine has gone before
        finally:
            self._publish(None)
            self.service.forget(self)
            self._place.release()

    async def _unpaused(self) -> bool:
        """Waits while it is paused; says whether it had to."""
        waited = not self._resumed.is_set()
        await self._resumed.wait()
        return waited

    async def _watchers_there(self) -> bool:
        """Waits until someone watches; says whether it had to."""
        waited, seconds = not self._watched.is_set(), self.service.config.idle_seconds
        try:
            async with asyncio.timeout(seconds):  # wait_for can lose a cancellation in Python 3.11
                await self._watched.wait()
        except TimeoutError:
            raise ServeError("idle", f"nobody watched for {seconds:g} s") from None
        return waited

    def _measure(self, late: float) -> None:
        now, metrics = time.monotonic(), self.service.metrics
        if self._asked_at is not None:
            metrics.first.observe(now - self._asked_at)
        elif self._sent_at is not None:
            metrics.interval.observe(now - self._sent_at)
        self._asked_at, self._sent_at = None, now
        metrics.frames.inc()
        if late > 0.5 / self.service.generator.fps:
            metrics.late.inc()

    def _publish(self, frame: Frame | None) -> None:
        for frames in list(self._watchers):
            if frame is None or frames.qsize() >= _WATCHED_AHEAD:
                self.unwatch(frames)
                frames.put_nowait(None)
            else:
                frames.put_nowait(frame)

    def _keep_sometimes(self, frame: Frame) -> None:
        """Keeps a snapshot every so many latent frames, beside the sending."""
        idle = self._keeping is None or self._keeping.done()
        if self.channel.remembers and idle and frame.latent_index >= self._keep_from:
            if self._keep_from:  # the first one was kept before it played
                self._keeping = asyncio.create_task(self._keep_quietly())
            self._keep_from = frame.latent_index + self.service.config.snapshot_every

    async def _keep_quietly(self) -> None:
        try:
            await self.keep()
        except ServeError:
            pass  # the engine has gone; who plays the stream sees it

    async def _forget_snapshot(self) -> None:
        if self.service.store is not None and self.channel.remembers:
            try:
                await self.service.store.drop(self.id, self.owner)
            except ConnectionError:
                pass  # then it is forgotten when there are too many
