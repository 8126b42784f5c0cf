"""`Engine`: one thread that owns the model and makes the frames of all streams, latent frame by latent frame, in turns."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from ...sample import StreamBatch, VideoGenerator
from ..protocol.errors import DRAINING, ServeError, as_serve_error
from .channel import Channel

log = logging.getLogger("framecast.serve")
T = TypeVar("T")

_QUANTUM = 4  # latent frames that a stream keeps its seat for while others wait


class Observer(Protocol):
    """Who wants to know what the engine does; called in its thread."""

    def stepped(self, streams: int, forwards: int, seconds: float) -> None:
        """A latent frame of some streams is made."""


class Engine:
    """Makes frames for channels, while they have room; at most `slots` of them in one forward.

    Channels with the fewest frames waiting come first, and among equals the one that has had the fewest turns, so that streams
    share fairly and those that play at the video's rate are not held up by those that take all they can get.

    Args:
        generator: Makes the steps.
        slots: Streams in one forward at most.
        observer: Who wants to know.
    """

    def __init__(self, generator: VideoGenerator, slots: int, observer: Observer | None = None):
        self.generator, self.slots, self.observer = generator, slots, observer
        self._work: queue.SimpleQueue[tuple[Future, Callable]] = queue.SimpleQueue()
        self._wake, self._closing = threading.Event(), False
        self._channels: list[Channel] = []
        self._seated: tuple[Channel, ...] = ()
        self._batch: StreamBatch | None = None
        self._thread = threading.Thread(target=self._run, name="framecast-engine", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self, seconds: float = 10.0) -> None:
        """Ends the thread after the step that it is at; every channel ends with the error `draining`."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(seconds)
        self._do_work(refuse=True)  # what came while it ended

    def wake(self) -> None:
        """Says that a channel may have room again."""
        self._wake.set()

    async def run(self, work: Callable[[], T]) -> T:
        """Lets the thread do something between two latent frames, and returns what it returns or raises."""
        future: Future[T] = Future()
        if self._closing:
            raise ServeError(*DRAINING)
        self._work.put((future, work))
        self.wake()
        return await asyncio.wrap_future(future)

    async def open(self, channel: Channel) -> None:
        """Makes frames for a channel from now on."""

        def begin() -> None:
            channel.turns = min((other.turns for other in self._channels), default=0)
            self._channels.append(channel)

        await self.run(begin)

    async def close(self, channel: Channel) -> None:
        """Makes no more frames for a channel. What it held is free when this returns."""
        channel.end()
        if self._thread.is_alive():
            await self.run(lambda: self._drop(channel))

    def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            self._do_work()
            try:
                busy = self._turn()
            except Exception as error:  # a step failed: its streams are lost, the server is not
                log.exception("a step failed")
                self._fail(as_serve_error(error))
                busy = True
            if not busy:
                self._wake.wait()
        for channel in list(self._channels):
            channel.end(ServeError(*DRAINING))
        self._do_work(refuse=True)

    def _do_work(self, refuse: bool = False) -> None:
        while not self._work.empty():
            future, work = self._work.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if refuse:
                    raise ServeError(*DRAINING)
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)

    def _turn(self) -> bool:
        """One latent frame of the channels whose turn it is; `False` if none wants one."""
        chosen = self._choose()
        if not chosen:
            self._read_controls()
            return False
        started = time.perf_counter()
        self._seat(chosen)
        for channel in chosen:
            self._hand_over(channel)  # the first frame of new streams need not wait for the next
        assert self._batch is not None
        before = self._batch.forwards
        self._begin(chosen)  # last: what is done now is seen in the frames that are made next
        if not self._batch.step(_is_overtaken(chosen)):
            self._begin(chosen)
            self._batch.step()
        if self.observer is not None:
            self.observer.stepped(len(chosen), self._batch.forwards - before, time.perf_counter() - started)
        for channel in chosen:
            channel.turns += 1
            channel.controls.made()
            self._hand_over(channel)
            if channel.is_over:
                self._drop(channel)
        return True

    def _read_controls(self) -> None:
        """Reads what is done; of those who play by hand that waits until a latent frame is begun, unless they want none now."""
        for channel in self._channels:
            if channel.is_at_start and (not channel.by_hand or channel.paused or channel.rests):
                channel.controls.read(channel.stream)

    def _begin(self, chosen: tuple[Channel, ...]) -> None:
        for channel in chosen:
            if channel.is_at_start:
                channel.controls.begin(channel.stream)

    def _choose(self) -> tuple[Channel, ...]:
        """Whose latent frame is made next; nobody's, until someone has few frames left."""
        ready = [channel for channel in self._channels if channel.has_room]
        if not any(channel.is_urgent for channel in ready):
            return ()
        ready.sort(key=lambda channel: (channel.lead, channel.turns // _QUANTUM, channel not in self._seated, channel.turns))
        return tuple(ready[: self.slots])

    def _seat(self, chosen: tuple[Channel, ...]) -> None:
        """Puts the chosen streams, and no others, into one batch."""
        if set(chosen) == set(self._seated) and self._batch is not None:
            return
        self._unseat()
        streams = [channel.stream for channel in chosen]
        guides = [stream.seat.own.guides for stream in streams]
        self._batch = StreamBatch(self.generator, len(streams), any(g.text for g in guides), any(g.action for g in guides))
        self._seated = chosen  # first, so that a join that fails ends them and is not tried for ever
        self._batch.join(*streams)

    def _unseat(self) -> None:
        for channel in self._seated:
            channel.stream.leave()
        self._seated, self._batch = (), None

    def _hand_over(self, channel: Channel) -> None:
        frames = channel.stream.take()
        if frames:
            channel.put(frames)

    def _drop(self, channel: Channel) -> None:
        if channel in self._seated:
            self._unseat()
        if channel in self._channels:
            self._channels.remove(channel)

    def _fail(self, error: ServeError) -> None:
        if self._batch is not None:
            self._batch.abandon()
        for channel in self._seated:
            channel.end(error)
            self._channels.remove(channel)
        self._seated, self._batch = (), None


def _is_overtaken(chosen: tuple[Channel, ...]) -> Callable[[], bool] | None:
    """Whether a latent frame is better begun again, once, for who plays alone."""
    alone = len(chosen) == 1 and chosen[0].by_hand and chosen[0].is_at_start
    return (lambda: chosen[0].controls.are_overtaken) if alone else None


def load_apart(load: Callable[[], VideoGenerator]) -> VideoGenerator:
    """What `load` gives, called in a thread that ends, so that only the engine's thread will have computed anything.

    OpenMP keeps helpers for every living thread that has. Where they are more than there are cores they sleep instead of
    waiting awake, and a step takes twice as long.
    """
    with ThreadPoolExecutor(1) as passing:
        return passing.submit(load).result()
