"""`Controls`: what a person does in a stream, on its way to the engine. The newest counts, and nothing waits in line."""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...sample import Stream
from ..protocol.errors import ServeError, as_serve_error

_MOST_NEWS = 256  # that wait for a client that does not read


@dataclass(frozen=True, eq=False)
class Act:
    """What is held from now on.

    Attributes:
        id: By which its client knows it.
        clock: When it was done, by its client's own clock.
        action: float32 `[A]`; NaN is unknown.
    """

    id: int
    clock: float
    action: NDArray[np.float32]


@dataclass(frozen=True)
class Receipt:
    """What became of an act.

    Attributes:
        id: Which act.
        clock: Its clock.
        latent_frame: The first latent frame for which it holds.
        frame: The index of its first frame.
    """

    id: int
    clock: float
    latent_frame: int
    frame: int


@dataclass(frozen=True)
class Refusal:
    """An act that the stream did not take.

    Attributes:
        id: Which act.
        error: Why.
    """

    id: int
    error: ServeError


class Controls:
    """The acts of one stream: told in the event loop, read in the engine's thread between two latent frames."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._touch = asyncio.Event()
        self._newest: Act | None = None
        self._action: NDArray[np.float32] | None = None  # that was put last
        self._begun: NDArray[np.float32] | None = None  # the same when a latent frame was begun last
        self._is_new = False  # whether that was another one than for the latent frame before
        self._told: deque[Receipt | Refusal] = deque(maxlen=_MOST_NEWS)
        self._held: deque[Receipt] = deque()  # the one of the frame that was asked about last, and those that follow

    def put(self, act: Act) -> None:
        """Says what is held from now on, in place of what was said before and has not been read."""
        with self._lock:
            self._newest, self._action = act, act.action
        self._touch.set()

    async def touched(self) -> None:
        """Waits until something else is held than when a latent frame was begun last."""
        while not self._differ:
            self._touch.clear()
            await self._touch.wait()

    @property
    def are_overtaken(self) -> bool:
        """Whether the latent frame that is being made is better begun again, with what is held by now.

        Not if it is the first one of what it was begun with: who lets go of a key at once wants to see it, too.
        """
        return self._differ and not self._is_new

    def begin(self, stream: Stream) -> None:
        """As `read`, for a latent frame that is made next."""
        with self._lock:
            self._is_new, self._begun = self._differ, self._action
        self.read(stream)

    def read(self, stream: Stream) -> None:
        """Lets the newest act hold from the next latent frame of a stream on, if there is a new one."""
        with self._lock:
            act, self._newest = self._newest, None
        if act is None:
            return
        try:
            frame = stream.act(act.action)
            news = Receipt(act.id, act.clock, stream.codec.stride.latent_index(frame), frame)
        except ValueError as error:  # it is its client's, and not that of the streams beside it
            self._tell(Refusal(act.id, as_serve_error(error, "bad_action")))
            return
        with self._lock:
            if self._held and self._held[-1].frame == news.frame:
                self._held.pop()
            self._held.append(news)
        self._tell(news)

    def held_at(self, frame: int) -> Receipt | None:
        """The act that holds for a frame; `None` before the first. Frames are asked about in order."""
        with self._lock:
            while len(self._held) > 1 and self._held[1].frame <= frame:
                self._held.popleft()
            return self._held[0] if self._held and self._held[0].frame <= frame else None

    async def news(self) -> Receipt | Refusal:
        """What became of the next act that was read, as soon as that is known."""
        while not self._told:
            self._news.clear()
            if not self._told:
                await self._news.wait()
        return self._told.popleft()

    @property
    def _differ(self) -> bool:
        return not (self._action is self._begun or np.array_equal(self._action, self._begun, equal_nan=True))

    def _tell(self, news: Receipt | Refusal) -> None:
        self._told.append(news)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)
