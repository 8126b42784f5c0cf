"""What a control of a client means in the world that is served."""

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionError, ActionSpace
from ..protocol.errors import ServeError
from ..protocol.messages import Control


def action_of(control: Control, space: ActionSpace | None) -> NDArray[np.float32]:
    """The action of a control, float32 `[A]`.

    Args:
        control: What is held.
        space: What can be done; `None` if nothing can.

    Raises:
        ServeError: The world takes no actions, has not what is named, or cannot do all of it at once.
    """
    if space is None:
        raise ServeError("bad_action", "got a control for a model without actions; wanted a prompt; serve a world to play it")
    if control.buttons is None and control.axes:
        raise ServeError("bad_action", "got axes of an unknown action; wanted none; give buttons, [] if none is on")
    if control.buttons is None:
        return space.unknown
    _check_kinds(control, space)
    try:
        return space.action({**dict.fromkeys(control.buttons, True), **control.axes})
    except ActionError as error:
        raise ServeError("bad_action", str(error)) from error


def _check_kinds(control: Control, space: ActionSpace) -> None:
    """An axis is no button that is on, and a button has no position."""
    buttons, axes = {button.name for button in space.buttons}, {axis.name for axis in space.axes}
    for kind, names, others in (("a button", set(control.buttons or ()), axes), ("an axis", set(control.axes), buttons)):
        if wrong := sorted(names & others):
            known = ", ".join(sorted(buttons if kind == "a button" else axes)) or "none"
            raise ServeError("bad_action", f"got {wrong[0]!r} as {kind}; wanted one of {known}")
