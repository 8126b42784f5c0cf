"""Names and keys for what can be done: those that an environment tells, those that a person gives, and keys for the rest."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..actions import ActionError, ActionSpace, Axis, Button
from ..foreign import FAILURES, told
from .packages import gymnasium
from .spaces import NOTHING, ActionMapping, from_gymnasium
from .spec import WorldSpec

_FREE = tuple(f"Digit{number}" for number in range(1, 10))
"""Keys for buttons whose names say nothing of a place."""
_PAIRS = (("ArrowLeft", "ArrowRight"), ("ArrowDown", "ArrowUp"), ("KeyA", "KeyD"), ("KeyS", "KeyW"))
"""Keys for axes."""
_KEYS = {
    **dict.fromkeys(("left", "turn left", "move left"), "ArrowLeft"),
    **dict.fromkeys(("right", "turn right", "move right"), "ArrowRight"),
    **dict.fromkeys(("up", "forward", "move forward", "gas", "accelerate", "throttle"), "ArrowUp"),
    **dict.fromkeys(("down", "back", "backward", "move back", "move backward", "brake"), "ArrowDown"),
    **dict.fromkeys(("fire", "shoot", "attack", "jump"), "Space"),
    **dict.fromkeys(("use", "interact", "toggle", "open"), "KeyE"),
    "pickup": "KeyF",
    "drop": "KeyG",
}
"""The keys that a person expects, by what is done."""


def named_mapping(env: "gymnasium.Env[Any, Any]") -> ActionMapping:
    """The actions of an environment, called as it calls them; as "action 1" and so on if it does not say, or says too few.

    Raises:
        ActionError: They are of an unsupported kind.
    """
    names, space = _told_names(env.unwrapped), env.action_space
    if names is not None and not (isinstance(space, gymnasium.spaces.Discrete) and len(names) != space.n):
        try:
            return from_gymnasium(space, names)
        except ActionError:  # names that are none: too few, twice the same, or too long
            pass
    return from_gymnasium(space)


def with_keys(space: ActionSpace) -> ActionSpace:
    """The space with keys for all buttons and axes that have none, as far as there are keys; each key is given once."""
    taken = {button.key for button in space.buttons} | {key for axis in space.axes for key in axis.keys or ()}
    buttons, axes = [], []
    for button in space.buttons:
        expected = _KEYS.get(button.name.replace("_", " ").lower())
        key = button.key or next((key for key in (expected, *_FREE) if key is not None and key not in taken), None)
        taken.add(key)
        buttons.append(replace(button, key=key))
    for axis in space.axes:
        keys = axis.keys or next((pair for pair in _PAIRS if not taken & {*pair}), None)
        taken |= {*(keys or ())}
        axes.append(replace(axis, keys=keys))
    return ActionSpace(tuple(buttons), tuple(axes))


def renamed(spec: WorldSpec, buttons: Sequence[str] = (), axes: Sequence[str] = ()) -> WorldSpec:
    """A spec whose buttons and axes a person calls otherwise.

    Args:
        spec: The environment.
        buttons: A name for each button in order, or a name with its key, such as "left=ArrowLeft"; none keeps them.
        axes: The same for each axis, with two keys: "wheel=ArrowLeft,ArrowRight".

    Raises:
        ActionError: They are not as many as there are, two are called alike, or a name is none.
    """
    space = spec.action_space
    _check_count("buttons", [button.name for button in space.buttons], buttons)
    _check_count("axes", [axis.name for axis in space.axes], axes)
    bare = tuple(replace(button, key=None) for button in space.buttons) if buttons else space.buttons
    pressed = tuple(map(_button, bare, buttons)) if buttons else bare
    moved = tuple(map(_axis, space.axes, axes)) if axes else space.axes
    called = with_keys(ActionSpace(pressed, moved))
    controls = spec.controls
    if controls is not None:
        controls = {new: controls[old] for old, new in zip(space.names, called.names, strict=True)}
    return replace(spec, action_space=called, controls=controls)


def _told_names(env: Any) -> list[str] | None:
    """What an environment calls its actions, in one of the ways that environments have."""
    for attribute in ("get_action_meanings", "action_names", "actions"):
        said = getattr(env, attribute, None)
        try:
            names = _flat(said() if callable(said) and not isinstance(said, type) else said)
        except FAILURES as error:
            told(error)  # lets what ends the process pass
            continue
        if names:
            return names
    return None


def _flat(said: Any) -> list[str]:
    """Names out of a list, of lists for each number of an action, of a mapping, or of an `Enum`; none of anything else."""
    if isinstance(said, type) and issubclass(said, enum.Enum):
        return [each.name for each in sorted(said, key=lambda each: each.value)]
    if isinstance(said, Mapping):  # by number, or of the buttons and axes of a `Dict`
        if set(said) != {"buttons", "axes"}:
            return _flat([said[number] for number in sorted(said)])
        pressed = _flat(said["buttons"])
        return [*(pressed[1:] if pressed[:1] == [NOTHING] else pressed), *_flat(said["axes"])]
    if not isinstance(said, (list, tuple)) or not said:
        return []
    if all(isinstance(part, (list, tuple)) for part in said):  # of a `MultiDiscrete`, whose first choices turn nothing on
        return [name for part in said for name in _flat(part)[1:]]
    return list(said) if all(isinstance(name, str) for name in said) else []


def _check_count(what: str, there: Sequence[str], given: Sequence[str]) -> None:
    if given and len(given) != len(there):
        wanted = f"{len(there)}, for {', '.join(there)} in this order" if there else f"none: it has no {what}"
        raise ActionError(f"got {len(given)} names of {what}, {', '.join(given):.80}; wanted {wanted}")


def _button(button: Button, given: str) -> Button:
    name, equals, key = given.partition("=")
    if equals and not key.strip():
        raise ActionError(f'got {given!r:.80} as a button; wanted a name, or a name and its key, such as "left=ArrowLeft"')
    return replace(button, name=name.strip(), key=key.strip() or None)


def _axis(axis: Axis, given: str) -> Axis:
    name, equals, keys = given.partition("=")
    pair = tuple(key.strip() for key in keys.split(","))
    if equals and (len(pair) != 2 or not all(pair)):
        raise ActionError(f'got {given!r:.80} as an axis; wanted a name, or a name and two keys, as "wheel=ArrowLeft,ArrowRight"')
    return replace(axis, name=name.strip(), keys=(pair[0], pair[1]) if equals else axis.keys)
