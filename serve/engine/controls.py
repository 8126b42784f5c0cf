"""`Controls`: what a person does in a stream, on its way to the engine. The newest counts, and nothing waits in line."""

import asyncio
import threading
from collections import deque
from contextlib import suppress
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
    """The acts of one stream: told in the event loop, read in the engine's thread between two latent frames.

    The newest counts. But a press that is let go before a latent frame has shown it is held for one.

    Args:
        begun: float32 `[A]`, what holds before anything is done; `None` if that is unknown.
    """

    def __init__(self, begun: NDArray[np.float32] | None = None) -> None:
        self._lock = threading.Lock()
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._touch = asyncio.Event()
        self._newest: Act | None = None
        self._waits = False  # whether the stream has yet to be told of it
        self._press: Act | None = None  # that was let go before it was shown
        self._begun = begun  # what is done in the latent frame that was begun last
        self._is_new = False  # whether something else was done in the one before
        self._due: Receipt | None = None  # of the latent frame that is being made
        self._told: deque[Receipt | Refusal] = deque(maxlen=_MOST_NEWS)
        self._held: deque[Receipt] = deque()  # the one of the frame that was asked about last, and those that follow

    def put(self, act: Act) -> None:
        """Says what is held from now on, in place of what was said before and has not been read."""
        with self._lock:
            if not _alike(act.action, self._begun):
                self._press = None
            elif self._newest is not None and not _alike(self._newest.action, self._begun):
                self._press = self._newest
            self._newest, self._waits = act, True
        self._touch.set()

    async def touched(self) -> None:
        """Waits until something else is to be shown than in the latent frame that was begun last."""
        while not self._differ:
            self._touch.clear()
            await self._touch.wait()

    @property
    def are_overtaken(self) -> bool:
        """Whether the latent frame that is being made is better begun again, with what is held by now.

        Not if it is the first one of what it was begun with: that is to be seen, too.
        """
        return self._differ and not self._is_new

    def begin(self, stream: Stream) -> None:
        """Lets what is to be shown next hold in a stream, whose next latent frame is made now; `made` is told afterwards."""
        with self._lock:
            act = self._press or (self._newest if self._waits else None)
            self._waits = self._waits and self._press is not None  # then the newest comes in the next latent frame
            self._press = None
            holds = act or self._newest
            action = self._begun if holds is None else holds.action
            self._is_new, self._begun = not _alike(action, self._begun), action
        if act is not None:
            self._due = self._do(act, stream)

    def made(self) -> None:
        """The latent frame that was begun last is made, and not begun again: who did what is done in it gets a receipt."""
        due, self._due = self._due, None
        if due is not None:
            self._note(due)

    def read(self, stream: Stream) -> None:
        """Lets the newest act hold from a stream's next latent frame on, if there is a new one; its receipt comes at once."""
        with self._lock:
            if self._press is not None:
                return  # it comes first
            act = self._newest if self._waits else None
            self._waits = False
        if act is not None and (receipt := self._do(act, stream)) is not None:
            self._note(receipt)

    def hold(self, stream: Stream) -> None:
        """Lets the newest act hold in a stream that others are made of; it is read and answered later."""
        with self._lock:
            act = self._newest if self._waits else None
        if act is not None:
            with suppress(ValueError):  # said when it is read
                stream.act(act.action)

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

    def _do(self, act: Act, stream: Stream) -> Receipt | None:
        """Does an act from the next latent frame on."""
        try:
            frame = stream.act(act.action)
        except ValueError as error:  # it is its client's, and not that of the streams beside it
            self._tell(Refusal(act.id, as_serve_error(error, "bad_action")))
            return None
        return Receipt(act.id, act.clock, stream.codec.stride.latent_index(frame), frame)

    def _note(self, receipt: Receipt) -> None:
        with self._lock:
            if self._held and self._held[-1].frame == receipt.frame:
                self._held.pop()
            self._held.append(receipt)
        self._tell(receipt)

    @property
    def _differ(self) -> bool:
        return self._press is not None or (self._newest is not None and not _alike(self._newest.action, self._begun))

    def _tell(self, news: Receipt | Refusal) -> None:
        self._told.append(news)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)


def _alike(action: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> bool:
    """Whether two actions are the same; what is unknown is alike."""
    if action is None or other is None:
        return action is other
    return np.array_equal(action, other, equal_nan=True)
