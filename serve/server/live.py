"""`LiveStream`: a stream that is being served - paced, steered, kept, watched by others."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from ...sample import Frame, Stream
from ..engine.channel import Channel
from ..engine.controls import Act, Receipt, Refusal
from ..protocol.errors import ServeError, as_serve_error
from .audience import Audience
from .flow import Clock
from .host import Host
from .keeping import Keeping
from .places import Place


class LiveStream:
    """A stream with a place on the server.

    Args:
        host: The server.
        place: Its place; given back when it is closed.
        channel: Its frames.
        on_close: Called once its frames have ended, before the place is given back.
        id: Its name, which cannot be guessed; `None` makes one.
        owner: By which name the store knows that this is who makes its frames; `None` makes one.

    Attributes:
        next_index: Index of the frame that is sent next.
        audience: Those who watch it.
        notes: What the model cannot show of what was asked for, a sentence each.
    """

    def __init__(
        self,
        host: Host,
        place: Place,
        channel: Channel,
        on_close: Callable[["LiveStream"], None],
        id: str | None = None,
        owner: str | None = None,
    ):
        self._host, self._place, self._on_close = host, place, on_close
        self.channel, self.id = channel, id or secrets.token_urlsafe(16)
        self.seed, self.params = channel.stream.seed, channel.stream.params
        self.next_index = channel.span.start
        self.audience, self._resumed = Audience(), asyncio.Event()
        self._resumed.set()
        self._keeping = Keeping(host, self.id, owner or host.new_owner(), channel)
        self.notes: tuple[str, ...] = ()
        self._asked_at: float | None = place.since
        self._sent_at: float | None = None

    async def play(self, fps: float | None, allow: Callable[[], Awaitable[bool]] | None = None) -> AsyncIterator[Frame]:
        """The frames, each when it is due; watchers get them at the same time.

        For who plays by hand it is the making of a latent frame that is due, and its frames are handed on as soon as they are
        there. So what is done while it is waited for is seen in them.

        Args:
            fps: Frames per second; `None` is as fast as they are made.
            allow: Waits until another frame may be sent, and says whether it had to.

        Raises:
            ServeError: The stream failed.
        """
        clock = Clock(fps)
        wait = self._make_when_due if self.channel.by_hand else self._wait_until_due
        while (late := await wait(clock, allow)) is not None:
            frame = self.channel.take()
            self.next_index = frame.index + 1
            self._measure(late)
            self.audience.show(frame)
            yield frame
            self._keeping.follow(frame)
        self.audience.end()

    async def broadcast(self) -> None:
        """Plays for those who watch, and for nobody else, until it ends or is left alone for too long."""
        drop = False
        try:
            async for frame in self.play(self._fps, lambda: self.audience.wait(self._host.idle_seconds)):
                self.channel.confirm(frame.index + 1)
            drop = True
        except ServeError as error:
            self.channel.end(error)
            drop = error.code == "idle"
        finally:
            await self.close(drop=drop)

    def fragments(self) -> AsyncIterator[bytes]:
        """The frames from now on, as the pieces of an mp4."""
        codec = self.channel.stream.codec
        return self.audience.fragments(codec.height, codec.width, codec.fps)

    def pause(self) -> None:
        """Makes and sends no more frames."""
        self.channel.paused = True
        self._resumed.clear()

    def resume(self) -> None:
        """Goes on."""
        self.channel.paused = False
        self._resumed.set()
        self._host.engine.wake()

    async def set_prompt(self, text: str) -> tuple[int, str]:
        """Changes the prompt; returns the first frame for which it holds, and what it was taken for.

        Raises:
            ServeError: The prompt cannot be followed; the old one stays.
        """

        def change() -> tuple[int, str]:
            return self.channel.stream.set_prompt(text), self.channel.stream.prompt

        await self.channel.until_start()
        try:
            changed = await self._host.engine.run(change)
        except ValueError as error:
            raise as_serve_error(error, "bad_prompt") from error
        await self._keeping.keep_again()  # a prompt that was confirmed must not be forgotten
        return changed

    def control(self, act: Act) -> None:
        """Lets an act hold from the next latent frame on; a newer one takes its place."""
        self.channel.controls.put(act)
        self._host.engine.wake()

    async def control_news(self) -> Receipt | Refusal:
        """What became of the next act that the engine has read."""
        return await self.channel.controls.news()

    async def keep(self) -> None:
        """Keeps a snapshot, if there is a store for it; more follow as the stream plays."""
        await self._keeping.keep()

    async def snapshot(self) -> tuple[int, bytes]:
        """The first frame that the restored stream gives, and the stream as bytes."""
        (copy,) = await self.branch([self.seed])
        return copy.next_index, await asyncio.to_thread(copy.snapshot)

    async def branch(self, seeds: list[int]) -> list[Stream]:
        """Other futures from the next frame on."""
        await self.channel.until_start()
        return await self._host.engine.run(lambda: self.channel.branch(seeds))

    async def close(self, error: ServeError | None = None, drop: bool = False) -> None:
        """Ends it, and gives its place back.

        Args:
            error: Why, for who reads it.
            drop: Nobody will want to go on with it: forget its snapshot too.
        """
        self.channel.end(error)
        await self._keeping.end(drop)
        try:
            await self._host.engine.close(self.channel)
        except ServeError:
            pass  # the engine has gone before
        finally:
            self.audience.end()
            self._on_close(self)
            self._place.release()

    @property
    def _fps(self) -> float:
        return self.channel.stream.codec.fps

    async def _wait_until_due(self, clock: Clock, allow: Callable[[], Awaitable[bool]] | None) -> float | None:
        """Waits until a frame is there and due; returns by how many seconds it is late, or `None` after the last one."""
        while (waiting := await self.channel.peek()) is not None:
            await self._may_send(clock, allow)
            late = await clock.wait(waiting.index)
            if self._resumed.is_set():
                return late
        return None

    async def _make_when_due(self, clock: Clock, allow: Callable[[], Awaitable[bool]] | None) -> float | None:
        """As `_wait_until_due`; if no frame waits, one is asked for when it is due, or sooner if something else is held."""
        late = 0.0
        while True:
            await self._may_send(clock, allow)
            if not self.channel.waiting and not self.channel.is_over:
                late = await clock.wait(self.next_index, self.channel.controls.touched, self.channel.stream.codec.stride.frames)
                if not self._resumed.is_set():
                    continue
                if not self.channel.waiting:  # the first two come together
                    self.channel.ask()
            if await self.channel.peek() is None:
                return None
            if self._resumed.is_set():
                return late

    async def _may_send(self, clock: Clock, allow: Callable[[], Awaitable[bool]] | None) -> None:
        """Waits until a frame may be sent; the clock starts anew if that took a while."""
        self.channel.rests = True
        self._host.engine.wake()
        waited = await self._unpaused() or (allow is not None and await allow())
        self.channel.rests = False
        if waited:
            clock.restart()
            self._sent_at = None

    async def _unpaused(self) -> bool:
        """Waits while it is paused; says whether it had to."""
        waited = not self._resumed.is_set()
        await self._resumed.wait()
        return waited

    def _measure(self, late: float) -> None:
        now, metrics = time.monotonic(), self._host.metrics
        if self._asked_at is not None:
            metrics.first.observe(now - self._asked_at)
        elif self._sent_at is not None:
            metrics.interval.observe(now - self._sent_at)
        self._asked_at, self._sent_at = None, now
        metrics.frames.inc()
        if late > 0.5 / self._fps:
            metrics.late.inc()
