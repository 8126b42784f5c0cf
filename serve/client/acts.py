"""`Acts`: what a program does in a stream of a server: who waits for which receipt, and what holds for which frame."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.actions import ActionError, ActionSpace
from ...sample.plan import Actions, plan_of
from ...stride import Stride
from ..protocol.errors import ServeError
from ..protocol.messages import MOST_PLANNED, MOST_SINCE, ControlApplied


@dataclass(frozen=True, eq=False)
class Sent:
    """An act on its way.

    Attributes:
        message: What was sent.
        action: float32 `[A]`; NaN is unknown.
        applied: Becomes the frame from which it holds.
    """

    message: dict[str, Any]
    action: NDArray[np.float32]
    applied: asyncio.Future[int]


class Acts:
    """The acts of one stream. The newest counts: one that gave way to a newer one holds from no frame.

    Args:
        space: What can be done; `None` if nothing can, or if the server does not say.
    """

    def __init__(self, space: ActionSpace | None):
        self.space = space
        self._sent: dict[int, Sent] = {}  # in order; those before the one that holds are forgotten
        self._seen: deque[tuple[int, int, dict[str, Any]]] = deque(maxlen=MOST_SINCE)  # number, frame, what was held

    @property
    def newest(self) -> dict[str, Any] | None:
        """The message that was sent last; another server that goes on with the stream is to have it too."""
        return next(reversed(self._sent.values())).message if self._sent else None

    @property
    def seen(self) -> list[dict[str, Any]]:
        """What was held in the last frames that came, each from its first frame on; another server is to hold it again."""
        return [{"frame": frame, **held} for _, frame, held in self._seen]

    def send(self, number: int, value: object) -> Sent:
        """The message of an action, under a number that is larger than those before.

        Args:
            number: Names it.
            value: As `ActionSpace.action` takes it; `None` is unknown.

        Raises:
            ActionError: It is none of the space, or nothing can be done.
        """
        space = self._known_space(value)
        action = space.action(value)
        message = {"type": "control", "id": number, "clock": time.perf_counter() * 1e3, **held(action, space)}
        self._sent[number] = Sent(message, action, asyncio.get_running_loop().create_future())
        return self._sent[number]

    def plan(self, actions: Actions, stride: Stride) -> list[dict[str, Any]]:
        """What a message says of actions that a branch does first, frame by frame; the last one holds.

        Args:
            actions: As `Stream.branch` takes them, but for iterators and functions.
            stride: Of the model.

        Raises:
            ActionError: There is one that cannot be, there are too many, or nothing can be done.
        """
        space = self._known_space(actions)
        if isinstance(actions, Iterator) or callable(actions):
            kind = type(actions).__name__
            raise ActionError(f"got {kind} as actions of a branch; wanted a list, an array or a text; make one of it")
        plan = plan_of(space, stride, actions, begins=False)
        rows = plan.planned.flatten(0, 1) if len(plan.planned) else plan.held[None]
        if len(rows) > MOST_PLANNED:
            raise ActionError(f"got actions for {len(rows)} frames; wanted at most {MOST_PLANNED}; the last one holds by itself")
        return [held(row, space) for row in rows.numpy()]

    def apply(self, reply: ControlApplied) -> None:
        """Takes a receipt: it is one for those that gave way too."""
        for number, sent in self._sent.items():
            if number <= reply.id and not sent.applied.done():
                sent.applied.set_result(reply.frame)

    def refuse(self, number: int | None, error: ServeError) -> bool:
        """Takes an error; says whether it was about an act."""
        sent = self._sent.pop(number, None) if number is not None else None
        if sent is not None and not sent.applied.done():
            sent.applied.set_exception(error)
        return sent is not None

    def holding(self, number: int | None, frame: int) -> Tensor | None:
        """float32 `[A]`, the action of a frame that follows the act of this number; `None` if that is unknown."""
        if number is None or number not in self._sent:
            return None
        if not self._seen or self._seen[-1][0] != number:
            message = self._sent[number].message
            self._seen.append((number, frame, {name: message[name] for name in ("buttons", "axes") if name in message}))
        for earlier in [each for each in self._sent if each < number]:
            if self._sent[earlier].applied.done():
                del self._sent[earlier]
        action = self._sent[number].action
        return None if np.isnan(action).any() else torch.from_numpy(action.copy())

    def _known_space(self, value: object) -> ActionSpace:
        if self.space is None:
            raise ActionError(f"got {value!r:.60} to do in a model without actions; wanted a prompt; play a server of a world")
        return self.space

    def fail(self, error: Exception) -> None:
        """Nobody will answer any more."""
        for sent in self._sent.values():
            if not sent.applied.done():
                sent.applied.set_exception(error)


def held(action: NDArray[np.float32], space: ActionSpace) -> dict[str, Any]:
    """What a control says of an action."""
    if np.isnan(action).any():
        return {"buttons": None}
    count = len(space.buttons)
    buttons = [button.name for button, value in zip(space.buttons, action[:count], strict=True) if value]
    return {"buttons": buttons, "axes": {a.name: float(value) for a, value in zip(space.axes, action[count:], strict=True)}}
