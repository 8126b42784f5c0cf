"""`Plan`: what is done in a stream from some moment on, in whatever form a person gives it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.actions import ActionError, ActionSpace
from ..stride import Stride
from .action_text import parse_actions

Actions = str | Mapping[str, Any] | Sequence[Any] | NDArray[np.floating] | Tensor | Iterator[Any] | Callable[[Any], Any]
"""What is done: actions frame by frame as an array `[T, A]`, a list or a text such as "left*8 gas*20", one action that holds as a
mapping or an array `[A]`, an iterator of an action for each latent frame, or a function that is asked for it."""

Ask = Callable[[Any], object]
"""Is given the stream before each latent frame, and gives the action; raises StopIteration once there is none."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is done from some moment on.

    Attributes:
        held: float32 `[A]`, the action that holds after those that are planned.
        planned: float32 `[n, stride, A]`, of the next n latent frames.
        ask: Gives the action of each latent frame after those, if there is something to be asked.
    """

    held: Tensor
    planned: Tensor
    ask: Ask | None = None


class Asker:
    """What a stream asks for its actions: once before each latent frame but the first of a video, until there are no more.

    Args:
        ask: Is asked; `None` is nothing.
    """

    def __init__(self, ask: Ask | None = None):
        self._ask, self._asked = ask, 0

    def next(self, stream: Any, latent_index: int) -> tuple[object] | None:
        """The action of a latent frame, alone in a tuple; `None` if the one that holds goes on."""
        if self._ask is None or latent_index == self._asked:
            return None
        try:
            action = self._ask(stream)
        except StopIteration:
            self._ask = None
            return None
        self._asked = latent_index
        return (action,)


def plan_of(space: ActionSpace, stride: Stride, given: Actions | None, begins: bool, held: Tensor | None = None) -> Plan:
    """What a person's actions mean.

    Args:
        space: What can be done.
        stride: Frames of a latent frame.
        given: The actions, in one of the forms of `Actions`; `None` changes nothing.
        begins: Whether the video begins. Row t of an array is of the t-th frame to come, and the first frame of a video has no
            action: nothing was done before it. So the first row is left out then. A text begins with the second frame.
        held: The action that holds now, float32 `[A]`; `None` is unknown.

    Raises:
        ActionError: There is an action that cannot be.
    """
    none = torch.empty(0, stride.frames, space.size)
    held = torch.from_numpy(space.unknown) if held is None else held
    if given is None:
        return Plan(held, none)
    if callable(given) and not isinstance(given, (str, Mapping)):
        return Plan(held, none, given)
    if isinstance(given, Iterator):
        return Plan(held, none, lambda _: next(given))
    if _is_one(given):
        return Plan(torch.from_numpy(space.action(as_array(given))), none)
    if isinstance(given, (np.ndarray, Tensor)) and given.ndim == 3:
        planned = _grouped(space, stride, given, "actions")
    else:
        rows = as_rows(space, given, "actions")
        if begins and isinstance(given, str):
            rows = np.concatenate([space.unknown[None], rows])
        planned = _in_groups(torch.from_numpy(rows), stride, begins)
    return Plan(planned[-1, -1].clone(), planned[1:] if begins else planned)


def as_rows(space: ActionSpace, given: object, what: str) -> NDArray[np.float32]:
    """Actions frame by frame, float32 `[T, A]`, T at least 1.

    Args:
        space: What can be done.
        given: A text, an array `[T, A]`, or a list of actions in any form that `ActionSpace.action` takes.
        what: How an error calls them.

    Raises:
        ActionError: There is an action that cannot be, or none.
    """
    if isinstance(given, str):
        return parse_actions(given, space)
    if isinstance(given, (list, tuple)):
        rows = [space.action(as_array(one)) for one in given]
        given = np.stack(rows) if rows else None
    rows_of = _numbers(space, given, what)
    if rows_of.ndim != 2 or rows_of.shape[1] != space.size or not len(rows_of):
        raise ActionError(f"got {what} of shape {list(rows_of.shape)}; wanted {_wanted(space)}")
    return space.check(rows_of, what)


def first_actions_of(space: ActionSpace, stride: Stride, given: object, length: int) -> Tensor:
    """The actions of given frames as those of their latent frames, float32 `[length, stride, A]`; all unknown if `None` is given.

    Raises:
        ActionError: There is an action that cannot be, or not one for each frame.
    """
    if given is None:
        return torch.full((length, stride.frames, space.size), torch.nan)
    if isinstance(given, (np.ndarray, Tensor)) and given.ndim == 3:
        return _grouped(space, stride, given, "first_actions", length)
    rows = as_rows(space, given, "first_actions")
    if len(rows) != stride.num_frames(length):
        raise ActionError(
            f"got first_actions for {len(rows)} frames; wanted one for each of the {stride.num_frames(length)} frames that are "
            "given; the one of the first frame may be unknown (None or NaN)"
        )
    return stride.group(torch.from_numpy(rows))


def _in_groups(rows: Tensor, stride: Stride, begins: bool) -> Tensor:
    """Rows `[T, A]` as those of latent frames; the last one holds for frames that lack."""
    if begins:
        return stride.group(torch.cat([rows, rows[-1:].expand(stride.missing(len(rows)), -1)]))
    lacking = rows[-1:].expand(-len(rows) % stride.frames, -1)
    groups: Tensor = torch.cat([rows, lacking]).unflatten(0, (-1, stride.frames))
    return groups


def _grouped(space: ActionSpace, stride: Stride, given: object, what: str, length: int | None = None) -> Tensor:
    """Actions that are given as those of latent frames, float32 `[n, stride, A]`."""
    groups = _numbers(space, given, what)
    wanted = (length or max(1, len(groups)), stride.frames, space.size)
    if groups.shape != wanted:
        shape = f"[{length or 'latent frames'}, {stride.frames}, {space.size}]"
        raise ActionError(f"got {what} of shape {list(groups.shape)}; wanted {shape}, or [frames, {space.size}]")
    return torch.from_numpy(space.check(groups, what))


def _numbers(space: ActionSpace, given: object, what: str) -> NDArray[np.float32]:
    try:
        return np.array(as_array(given), np.float32)
    except (TypeError, ValueError) as error:
        raise ActionError(f"got {what} as {type(given).__name__}; wanted {_wanted(space)}") from error


def _is_one(given: object) -> bool:
    """Whether it is one action, which holds throughout."""
    if isinstance(given, (list, tuple)):
        return bool(given) and all(isinstance(number, (Real, np.generic)) for number in given)
    return isinstance(given, Mapping) or (isinstance(given, (np.ndarray, Tensor)) and given.ndim == 1)


def no_actions(name: str) -> ActionError:
    """The error of an action for a model that knows none."""
    return ActionError(
        f"got an action for {name!r}, a model that knows no actions; wanted none, or the bundle of a world: `framecast info` "
        "names the actions of a bundle"
    )


def as_array(given: object) -> Any:
    """A tensor as an array; anything else as it is."""
    return given.detach().cpu().numpy() if isinstance(given, Tensor) else given


def _wanted(space: ActionSpace) -> str:
    return (
        f"[frames, {space.size}], numbers for {', '.join(space.names[:12])}; or a list of actions, a text such as "
        f'"{space.names[0]}*8", an iterator, or a function'
    )
