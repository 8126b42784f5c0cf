"""What a client says is held, and what that means in the world that is served."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionError, ActionSpace
from ..protocol.errors import ServeError
from ..protocol.messages import Held


def plan_of(actions: Sequence[Held], space: ActionSpace | None) -> NDArray[np.float32]:
    """What is done frame by frame, float32 `[T, A]`.

    Raises:
        ServeError: As `action_of`.
    """
    return np.stack([action_of(held, space) for held in actions])


def action_of(held: Held, space: ActionSpace | None) -> NDArray[np.float32]:
    """The action of what is held, float32 `[A]`.

    Args:
        held: What is held, a control for instance.
        space: What can be done; `None` if nothing can.

    Raises:
        ServeError: The world takes no actions, has not what is named, or cannot do all of it at once.
    """
    if space is None:
        raise ServeError("bad_action", "got an action for a model without actions; wanted a prompt; serve a world to play it")
    if held.buttons is None and held.axes:
        raise ServeError("bad_action", "got axes of an unknown action; wanted none; give buttons, [] if none is on")
    if held.buttons is None:
        return space.unknown
    _check_kinds(held, space)
    try:
        return space.action({**dict.fromkeys(held.buttons, True), **held.axes})
    except ActionError as error:
        raise ServeError("bad_action", str(error)) from error


def _check_kinds(held: Held, space: ActionSpace) -> None:
    """An axis is no button that is on, and a button has no position."""
    buttons, axes = {button.name for button in space.buttons}, {axis.name for axis in space.axes}
    for kind, names, others in (("a button", set(held.buttons or ()), axes), ("an axis", set(held.axes), buttons)):
        if wrong := sorted(names & others):
            known = ", ".join(sorted(buttons if kind == "a button" else axes)) or "none"
            raise ServeError("bad_action", f"got {wrong[0]!r} as {kind}; wanted one of {known}")
