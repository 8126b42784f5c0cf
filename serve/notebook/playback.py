"""`Playback`: a stream that a thread of its own makes, a little ahead of whoever shows it."""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionSpace
from ...sample import Frame, Stream
from ...sample.past import Past
from ...sample.token_header import TokenHeader
from .screen import NoScreen, Screen, Status
from .turns import Turns

_AHEAD_SECONDS = 0.75  # what waits to be shown when a latent frame is begun: a new prompt is seen about this much later
_KEPT_SECONDS = 30.0


class Playback:
    """Makes a stream's frames in a thread while they are wanted and shown.

    The thread begins with the first `play` and ends with `close`. Stream and thread take turns: whoever changes or reads the
    stream waits for the latent frame that is being made.

    Args:
        begin: Makes the stream; called again by `restart`.
        num_frames: Where the video ends, `1 + temporal_stride * k`; `None` goes on for ever.

    Raises:
        ValueError: The length is not as above, or the stream is as long already.

    Attributes:
        stream: What is played; hold a turn to use it.
        screen: Where frames go.
        begun: Whether `play` or `pause` was ever called.
        take: Counts restarts.
        notice: What was last done on request, in words.
        clock: The clock of the action that `hold` was last given and a latent frame has had.
    """

    def __init__(self, begin: Callable[[], Stream], num_frames: int | None = None):
        self._begin, self.num_frames = begin, num_frames
        self.stream: Stream = begin()
        self.screen: Screen = NoScreen()
        self.fps = self.stream.codec.fps
        self._ahead = _ahead_of(self.stream)
        self._held: tuple[NDArray[np.float32], float | None] | None = None  # what the next latent frame is to have
        self._in_hand = False  # whether what holds is held by somebody's hand
        self.clock: float | None = None
        self._made = self._shown = 0
        self._prompts: tuple[tuple[int, str], ...] = ()
        self._settings = (self.stream.seed, self.stream.params)
        self._recent: deque[Frame] = deque(maxlen=math.ceil(_KEPT_SECONDS * self.fps))
        self._turns, self._changed = Turns(), threading.Condition()
        self._playing = self._closed = self.begun = False
        self._error, self.notice, self.take = "", "", 0
        self._thread: threading.Thread | None = None
        self._rewind()
        self._check_length()

    @property
    def playing(self) -> bool:
        """Whether frames go on."""
        return self._playing

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def num_made(self) -> int:
        """The index of the next frame to be made."""
        return self._made

    @property
    def num_shown(self) -> int:
        """The index of the next frame to be shown."""
        return self._shown

    @property
    def status(self) -> Status:
        """What a screen tells."""
        seed, params = self._settings
        return Status(self._playing, self._ended, self._prompts, self.notice, self._error, self.take, seed, params)

    def play(self) -> None:
        """Lets frames be made; from the beginning if the video had ended.

        Raises:
            ValueError: It is closed.
            RuntimeError: Making frames had failed.
        """
        self._check_open("play")
        if self._error:
            raise RuntimeError(f"{self._error}; nothing can follow; `restart()` begins anew")
        if self._ended:
            self.restart()
        with self._changing():
            self._playing = self.begun = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="framecast-player", daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Lets no more frames be made, once the latent frame at work is done."""
        with self._changing():
            self._playing, self.begun = False, True

    def restart(self, begin: Callable[[], Stream] | None = None) -> None:
        """Begins the video anew, playing or paused as it is; prompts that were set are gone.

        Args:
            begin: Makes the stream from now on; `None` is what made it before.

        Raises:
            ValueError: It is closed, or there is no such stream; then all stays as it was.
        """
        with self._turns.turn():
            self._check_open("restart")
            stream = (begin or self._begin)()
            self.stream.close()
            self.stream, self._begin = stream, begin or self._begin
            self._held = self.clock = None
            self._in_hand = False
            with self._changing():
                self._error, self.notice, self.take = "", "", self.take + 1
                self._rewind()

    def set_prompt(self, prompt: str) -> int:
        """Changes the prompt from the next latent frame on.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ValueError: The prompt is empty or too long, the video ends before, or it is closed.
        """
        with self._turns.turn():
            self._check_open("set_prompt")
            if self._complete:
                raise ValueError(
                    f"got the prompt {prompt!r} for a video whose {self.num_frames} frames are all made; wanted one that goes "
                    "on; `restart()` begins it anew"
                )
            first = self.stream.set_prompt(prompt)
            with self._changing():
                self._prompts = self._list_prompts()
                self.notice = f"“{self.stream.prompt}” holds from frame {first}."
        return first

    @property
    def action_space(self) -> ActionSpace | None:
        """What can be done; `None` of a model without actions."""
        return self.stream.action_space

    def act(self, action: object) -> int:
        """Does an action from the next latent frame on; returns the index of the first frame for which it holds.

        Raises:
            ValueError: It is none of the world's, the model takes none, or the playback is closed.
        """
        with self._turns.turn():
            self._check_open("act")
            frame = self.stream.act(action)
            self._held, self._in_hand = None, False
        return frame

    def hold(self, action: NDArray[np.float32], clock: float | None = None) -> None:
        """As `act`, without waiting for the latent frame at work: the newest action is read when the next one is begun.

        Args:
            action: float32 `[A]`, one of the action space.
            clock: When it was done, by the clock of whoever does it.
        """
        self._held, self._in_hand = (action, clock), True

    def begin_by_hand(self) -> None:
        """Does nothing from now on, if nobody has said what is done: a hand that has touched nothing does nothing."""
        space, action = self.action_space, self.stream.action
        if space is not None and action is not None and self._held is None and bool(action.isnan().any()):
            self.hold(space.nothing)

    def moment(self) -> Stream:
        """A branch that stands where the stream stands now, and goes on by itself.

        What a program does goes on in it. What a hand holds is let go, since that hand is at another player.

        Raises:
            ValueError: It is closed.
        """
        with self._turns.turn():
            self._check_open("branch")
            (moment,) = self.stream.branch([self.stream.seed])
            if self._in_hand and self.action_space is not None:
                moment.act(self.action_space.nothing)
        return moment

    def past(self) -> tuple[Past, TokenHeader]:
        """All that was made so far, and what a token file of it says first."""
        with self._turns.turn():
            return self.stream.past, self.stream.header

    def attach(self, screen: Screen) -> None:
        """Lets frames go to another screen from now on."""
        with self._changing():
            self.screen = screen

    def shown(self, index: int, take: int) -> None:
        """Notes that a frame was shown, and all before it."""
        with self._changed:
            if take != self.take or not self._shown <= index < self._made:
                return
            self._shown = index + 1
            self._changed.notify_all()
            if self._ended:
                self._playing = False
                self.screen.tell(self.status)

    def recent(self, since: int = 0) -> list[Frame]:
        """Frames from index `since` on, of the last half minute."""
        with self._changed:
            return [frame for frame in self._recent if frame.index >= since]

    def tell(self, notice: str) -> None:
        """Says what was done on request."""
        with self._changing():
            self.notice = notice

    def close(self) -> None:
        """Ends the thread; what was made stays. Takes no turn: the garbage collector may call it in the middle of one."""
        with self._changed:
            self._playing, self._closed = False, True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def _complete(self) -> bool:
        return self.num_frames is not None and self._made >= self.num_frames

    @property
    def _ended(self) -> bool:
        return self.num_frames is not None and self._shown >= self.num_frames

    @property
    def _wanted(self) -> bool:
        return self._playing and not self._complete and self._made - self._shown <= self._ahead

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Lets nobody see half of a change, and tells thread and screen afterwards."""
        with self._changed:
            yield
            self._changed.notify_all()
            if not self._closed:
                self.screen.tell(self.status)

    def _run(self) -> None:
        while self._wait_until_wanted():
            try:
                frames, take = self._make()
                self.screen.show(frames, take)  # the screen of now: it may have changed meanwhile
            except Exception as error:  # of any kind: nobody would see it in a thread
                self._fail(error)

    def _wait_until_wanted(self) -> bool:
        """Whether to go on."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted)
            return not self._closed

    def _make(self) -> tuple[list[Frame], int]:
        """The frames of the next latent frame, and the take they are of."""
        with self._turns.turn():
            if self.stream.num_latent_frames:  # nothing is done before the first frame, so what is held waits for the next
                self._read_held()  # last, right before the frame is made
            frames = [next(self.stream), *self.stream.take()]
            prompts = self._list_prompts()
            with self._changed:
                self._made = frames[-1].index + 1
                self._recent.extend(frames)
                if prompts != self._prompts:
                    self._prompts = prompts
                    self.screen.tell(self.status)
                return frames, self.take

    def _read_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self.stream.act(held[0])
            self.clock = held[1]

    def _fail(self, error: Exception) -> None:
        with self._changing():
            self._playing = False
            self._error = f"the video stopped before frame {self._made}: {type(error).__name__}: {error}"

    def _rewind(self) -> None:
        """Takes up a stream that was just begun."""
        self._recent.clear()
        self._made, self._settings = self.stream.next_index, (self.stream.seed, self.stream.params)
        self._shown, self._prompts = self._made, self._list_prompts()

    def _list_prompts(self) -> tuple[tuple[int, str], ...]:
        """Prompts by their first frame; the last one may hold from the next frame on."""
        held = [(self.stream.codec.stride.num_frames(start), text) for start, text in self.stream.prompts]
        if not held or held[-1][1] != self.stream.prompt:
            held.append((self._next_frame(), self.stream.prompt))
        return tuple(held)

    def _next_frame(self) -> int:
        return self.stream.codec.stride.num_frames(self.stream.num_latent_frames)

    def _check_length(self) -> None:
        if self.num_frames is not None:
            self.stream.codec.stride.num_latent_frames(self.num_frames)
            if self._complete:
                raise ValueError(
                    f"got num_frames {self.num_frames} for a stream that has {self._made} already; wanted more; leave it out "
                    "for a video without an end"
                )

    def _check_open(self, verb: str) -> None:
        if self._closed:
            raise ValueError(f"got {verb} of a closed player; wanted an open one; make another `Player`")


def _ahead_of(stream: Stream) -> int:
    """Frames that may wait when a latent frame is begun: of a world none but those of the latent frame that is being shown."""
    if stream.action_space is not None:
        return stream.codec.stride.frames - 1
    return max(1, round(_AHEAD_SECONDS * stream.codec.fps))
