"""`Channel`: a stream in the engine, and its frames on their way to a reader."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ...sample import Frame, Stream
from ..protocol.errors import ServeError
from .controls import Controls


@dataclass(frozen=True)
class Span:
    """Which frames of a stream a reader gets.

    Attributes:
        start: Index of the first one; those before are made and left out.
        stop: Index after the last one; then the channel ends.
    """

    start: int
    stop: int


class Channel:
    """What lies between the engine's thread, which makes frames, and the event loop, which sends them; made in the latter.

    It holds few frames, so that a change of prompt is soon seen: a new latent frame is urgent when half of one is left, and more
    than two and a half are never waiting. For who plays by hand a latent frame is made when it is asked for.

    Args:
        stream: From now on the engine's thread alone may touch it. Frames that wait in it are the channel's first ones.
        span: Which of its frames are wanted.
        on_taken: Called in the event loop when there may be room again.

    Attributes:
        by_hand: Whether its reader plays, and asks for each latent frame; said before the engine has it.
        controls: What its reader does.
        turns: Latent frames that it was given; the engine's measure of what is fair.
        remembers: Whether frames that were taken are remembered until the reader is known to have them.
        paused: Whether no frames are to be made.
        rests: Whether its reader plays, and wants no frame now.
    """

    def __init__(self, stream: Stream, span: Span, on_taken: Callable[[], None]):
        stride = stream.codec.stride.frames
        self.stream, self.span, self.turns, self.paused = stream, span, 0, False
        self._stride, self._urgent, self._on_taken = stride, max(1, stride // 2), on_taken
        self.by_hand, self.rests, self._asked = False, False, False
        self.controls = Controls(None if stream.action is None else stream.action.numpy())
        self._frames: deque[Frame] = deque()
        self._taken: deque[Frame] = deque()
        self.remembers = False
        self._over = False
        self._error: ServeError | None = None
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        waiting = stream.take()
        self._made = stream.next_index
        self.put(waiting)

    @property
    def waiting(self) -> int:
        """Frames that wait to be taken."""
        return len(self._frames)

    @property
    def lead(self) -> int:
        """The same in latent frames, rounded up."""
        return -(-len(self._frames) // self._stride)

    @property
    def is_over(self) -> bool:
        """Whether no more frames will be made."""
        return self._over

    @property
    def has_room(self) -> bool:
        """Whether another latent frame may be made now."""
        if self._over or (self.paused and self.is_at_start):
            return False
        if self.by_hand and self.is_at_start:
            return self._asked
        return len(self._frames) <= self._urgent + self._stride

    @property
    def is_at_start(self) -> bool:
        """Whether the frames before the first one that is wanted are made."""
        return self._made >= self.span.start

    @property
    def is_urgent(self) -> bool:
        """Whether the reader will soon have nothing."""
        return len(self._frames) <= self._urgent

    def put(self, frames: list[Frame]) -> None:
        """Adds frames that were made; ends the channel with the last one that is wanted."""
        if frames and frames[-1].index >= self.span.start:  # others are made again, and are no answer
            self._asked = False  # before they are there, so that whoever takes them can ask again
        self._frames.extend(frame for frame in frames if self.span.start <= frame.index < self.span.stop)
        self._made = frames[-1].index + 1 if frames else self._made
        if frames and self._made >= self.span.stop:
            self._over = True
        self._tell()

    def end(self, error: ServeError | None = None) -> None:
        """No more frames will come. With an error those that wait are not worth anything."""
        if self._error is None:
            self._error = error
        self._over = True
        self._tell()

    def ask(self) -> None:
        """Asks for a latent frame, if frames are made by hand."""
        self._asked = True
        self._on_taken()

    async def peek(self) -> Frame | None:
        """The frame that comes next, as soon as it is there; `None` after the last one.

        Raises:
            ServeError: The channel was ended by an error.
        """
        while True:
            self._news.clear()
            if self._error is not None:
                raise self._error
            if self._frames:
                return self._frames[0]
            if self._over:
                return None
            await self._news.wait()

    async def until_start(self) -> None:
        """Waits until the frames before the first one that is wanted are made: what is changed earlier would change them."""
        while True:
            self._news.clear()
            if self.is_at_start or self._over:
                return
            await self._news.wait()

    def take(self) -> Frame:
        """Takes the frame that `peek` gave."""
        if self.remembers:
            self._taken.append(self._frames[0])  # before it stops waiting, so that the engine's thread sees it here or there
        frame = self._frames.popleft()
        self._on_taken()
        return frame

    def confirm(self, index: int) -> None:
        """Notes that the reader has all frames before this one."""
        while self._taken and self._taken[0].index < index:
            self._taken.popleft()

    def branch(self, seeds: list[int], unconfirmed: bool = False) -> list[Stream]:
        """Branches of the stream as its reader sees it, with the frames that wait; in the engine's thread.

        What its reader did before holds in them, also if no latent frame has followed yet.

        Args:
            seeds: As for `Stream.branch`.
            unconfirmed: Begin with the frames that were taken and that the reader may not have.
        """
        if self.is_at_start:
            hold = self.controls.hold if self.by_hand else self.controls.read
            hold(self.stream)
        waiting = list(self._frames)
        taken = list(self._taken) if unconfirmed else []
        unseen = [frame for frame in taken if not waiting or frame.index < waiting[0].index]
        return self.stream.branch(seeds, unseen + waiting)

    def _tell(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)
