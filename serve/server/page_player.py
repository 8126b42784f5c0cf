"""`PagePlayer`: a person at the page as the policy of an environment, between the recording thread and the event loop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionSpace
from ..engine.controls import Act, Receipt
from ..protocol.errors import ServeError


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame for the page.

    Attributes:
        image: uint8 `[H, W, 3]`.
        index: Its number in the episode.
        held: The act that was done between the frame before and this one; `None` before the first.
    """

    image: NDArray[np.uint8]
    index: int
    held: Receipt | None


_LONGEST_FRAME = 2.0  # seconds that a pause waits for a frame
_NOBODY = -1  # the number of an act that nobody has told
Tell = Callable[[Shown | None], None]
"""Takes what a page is to show; `None` says that the episode is over. Called in the recording thread."""


class PagePlayer:
    """Plays episodes by what a person holds: paced first, and then the newest act is read.

    Called as a policy, it waits until somebody begins, and for as long as there is a pause. If that person stops or goes away,
    the episode ends there.

    Args:
        space: What can be done.
        fps: Frames per second.
    """

    def __init__(self, space: ActionSpace, fps: float):
        self._space, self._period = space, 1 / fps
        self._changed = threading.Condition()
        self._tell: Tell | None = None  # of who plays
        self._begun, self._episode = 0, 0  # how often somebody began, and that number when the present episode did
        self._act = Act(_NOBODY, 0.0, space.nothing)
        self._held: Receipt | None = None  # the act of the frame that is shown
        self._paused, self._has_seen, self._is_making, self._due = False, False, False, 0.0

    def __call__(self, frame: NDArray[np.uint8], _previous: object, _rng: object, world: Any) -> NDArray[np.float32]:
        """The action until the next frame.

        Raises:
            StopIteration: The person has stopped.
        """
        index = world.num_frames - 1
        if index == 0:
            self._await_start()
        with self._changed:
            self._is_making = False
            if self._is_played and self._tell is not None:
                self._tell(Shown(frame, index, self._held))
                self._has_seen = True
            self._changed.notify_all()
            self._await_due()
            if not self._is_played:
                raise StopIteration
            act = self._act
            if act.id != _NOBODY and (self._held is None or self._held.id != act.id):
                self._held = Receipt(act.id, act.clock, index + 1, index + 1)
            self._is_making = True
        return act.action

    def begin(self, tell: Tell) -> None:
        """Somebody plays from now on.

        Raises:
            ServeError: Somebody else plays.
        """
        with self._changed:
            if self._tell is not None:
                raise ServeError("server_full", "got a second person for one environment; wait until the first one stops")
            self._begun += 1
            self._tell, self._paused, self._has_seen, self._is_making = tell, False, False, False
            self._act, self._held = Act(_NOBODY, 0.0, self._space.nothing), None
            self._changed.notify_all()

    def control(self, act: Act) -> None:
        """Lets an act hold from the next frame on."""
        with self._changed:
            self._act = act

    def pause(self, paused: bool) -> None:
        """Stops for a while, once the frame that is being made is told, or goes on."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()
            if paused:
                self._changed.wait_for(lambda: not self._is_making or self._tell is None, _LONGEST_FRAME)

    def end(self, tell: Tell) -> None:
        """Whoever began with this plays no more, if that is still so."""
        with self._changed:
            if self._tell == tell:
                self._tell = None
                self._changed.notify_all()

    def finish(self) -> None:
        """The episode is over; who saw it is told, and may begin the next, unless that was done by now."""
        with self._changed:
            if self._tell is not None and self._has_seen:
                self._tell(None)
                self._tell = None
                self._changed.notify_all()

    def _await_start(self) -> None:
        """Tells who played the episode before that it is over, and waits for somebody to begin the next."""
        self.finish()
        with self._changed:
            self._changed.wait_for(lambda: self._tell is not None)
            self._episode, self._due = self._begun, time.monotonic()

    @property
    def _is_played(self) -> bool:
        """Whether who began the present episode still plays it; whoever begins after that gets another one."""
        return self._tell is not None and self._episode == self._begun

    def _await_due(self) -> None:
        """Waits for the next frame's time. Whoever is late by more than a frame is not hurried afterwards."""
        self._due = max(self._due + self._period, time.monotonic())
        while self._is_played and (self._paused or time.monotonic() < self._due):
            if self._paused:
                self._changed.wait_for(lambda: not self._paused or not self._is_played)
                self._due = time.monotonic() + self._period
            self._changed.wait(max(self._due - time.monotonic(), 0.0))
