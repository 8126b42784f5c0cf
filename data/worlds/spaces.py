"""Action spaces of Gymnasium and ours, and actions of the one as actions of the other.

| Gymnasium | here |
|---|---|
| `Discrete(n)` | n - 1 buttons in a group; no button on is the choice called "nothing" or "noop", or else the first |
| `MultiDiscrete` | the same for each of its numbers; two choices make a button of its own |
| `MultiBinary(n)` | n buttons |
| `Box` with finite ends | an axis for each number |
| `Dict` of "buttons" and "axes" | both |

So every action of a discrete space has one row, and every row of numbers has one action. An axis keeps a number of a `Box` to
within one step of float32 at 1, times half of its range; both ends are exact.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..actions import ActionError, ActionSpace, Axis, Button
from ..kinds import shown
from .packages import gymnasium

Row = NDArray[np.float32]
NOTHING = "nothing"
_IDLE = (NOTHING, "noop")
_WIDEST = 1e6
"""Between the ends of an axis; further apart, no hand and no network can steer."""
_MOST = 256
_WANTED = "Discrete, MultiDiscrete, MultiBinary, or Box with finite ends"


@dataclass(frozen=True)
class ActionMapping(ABC):
    """Actions as rows of numbers, and as a space of Gymnasium has them."""

    space: ActionSpace
    """What a row `[A]` says."""
    gymnasium: "gymnasium.Space[Any]"
    """What the environment takes."""

    def to_env(self, row: NDArray[np.floating]) -> Any:
        """What an environment takes for a row `[A]`.

        Raises:
            ActionError: The row is none of the space, or is unknown.
        """
        checked = self.space.check(np.asarray(row)[None])[0]
        if np.isnan(checked).any():
            raise ActionError('got an unknown action; an environment needs a known one; "nothing" is one, as zeros for buttons')
        return self._to_env(checked)

    def from_env(self, action: Any) -> Row:
        """The row float32 `[A]` of an action as the environment takes it.

        Raises:
            ActionError: It is none of the environment's, or the row is none of the space.
        """
        try:
            row = self._from_env(_plain(action))
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise ActionError(f"got {shown(action)} as an action; wanted one of {self.gymnasium}") from error
        return self.space.check(row[None])[0]

    @property
    def meanings(self) -> Any:
        """What the actions of an environment do, in the order and form of its space; `from_gymnasium` takes it as names."""
        return list(self.space.names)

    def called(self, space: ActionSpace) -> Self:
        """The same with other names, keys and groups.

        Raises:
            ActionError: The space has other numbers of buttons or axes.
        """
        ours, given = self.space, space
        if (len(ours.buttons), len(ours.axes)) != (len(given.buttons), len(given.axes)):
            raise ActionError(
                f"got a space of {len(given.buttons)} buttons and {len(given.axes)} axes for {self.gymnasium}; wanted "
                f"{len(ours.buttons)} buttons and {len(ours.axes)} axes"
            )
        return replace(self, space=space)

    @abstractmethod
    def _to_env(self, row: Row) -> Any: ...

    @abstractmethod
    def _from_env(self, action: Any) -> Row: ...


def from_gymnasium(space: "gymnasium.Space[Any]", names: Sequence[str] | None = None) -> ActionMapping:
    """The action space of an environment as ours.

    Args:
        space: `Discrete`, `MultiDiscrete`, `MultiBinary` or `Box`.
        names: What its buttons or axes are called, in order; for `Discrete` also what all of its choices are called.

    Raises:
        ActionError: It is of another kind, too large, without ends, or the names are not as many.
    """
    kinds = gymnasium.spaces
    if isinstance(space, kinds.Discrete):
        return _of_discrete(space, names)
    if isinstance(space, kinds.MultiDiscrete):
        return _of_multi_discrete(space, names)
    if isinstance(space, kinds.MultiBinary):
        called = _names(names, "button", int(np.prod(space.shape)))
        choices = tuple(_Choice((0, 1), (place,)) for place in range(len(called)))
        return _Buttons(ActionSpace(tuple(map(Button, called))), space, choices)
    if isinstance(space, kinds.Box):
        return _of_box(space, names)
    if isinstance(space, kinds.Dict) and set(space.spaces) == {"buttons", "axes"}:
        return _of_dict(space, names)
    raise ActionError(f"got an action space {space!r:.200}; wanted {_WANTED}; wrap the environment")


def to_gymnasium(space: ActionSpace) -> "gymnasium.Space[Any]":
    """The space of Gymnasium whose actions are the rows of ours, by `mapping_of(space)`.

    Buttons are `MultiBinary`; one group of them is `Discrete`, several are `MultiDiscrete`. Axes are a `Box` in the axes' own
    units. Both together are a `Dict` of "buttons" and "axes".
    """
    return mapping_of(space).gymnasium


def mapping_of(space: ActionSpace) -> ActionMapping:
    """Rows of a space of ours as actions of `to_gymnasium(space)`, and back."""
    if not space.axes:
        return _mapping_of_buttons(space)
    axes = replace(space, buttons=())
    low, high = (np.array([getattr(axis, end) for axis in axes.axes], np.float32) for end in ("low", "high"))
    moved = _Axes(axes, gymnasium.spaces.Box(low, high))
    if not space.buttons:
        return moved
    pressed = _mapping_of_buttons(replace(space, axes=()))
    both = gymnasium.spaces.Dict({"buttons": pressed.gymnasium, "axes": moved.gymnasium})
    return _Both(space, both, pressed, moved)


@dataclass(frozen=True)
class _Choice:
    """A number of an environment, of which each value but the first turns on one button."""

    values: tuple[int, ...]
    places: tuple[int, ...]
    """Of the buttons in a row, one less than there are values."""

    def number(self, row: Row) -> int:
        """Its value for a row."""
        on = [value for value, place in zip(self.values[1:], self.places, strict=True) if row[place] == 1]
        return on[0] if on else self.values[0]

    def meanings(self, names: Sequence[str]) -> list[str]:
        """What each value does, in the order of the values."""
        called = [NOTHING, *(names[place] for place in self.places)]
        return [name for _, name in sorted(zip(self.values, called, strict=True))]


@dataclass(frozen=True)
class _Buttons(ActionMapping):
    choices: tuple[_Choice, ...] = ()

    @property
    def meanings(self) -> Any:
        if isinstance(self.gymnasium, gymnasium.spaces.MultiBinary):
            return list(self.space.names)
        said = [choice.meanings(self.space.names) for choice in self.choices]
        return said[0] if isinstance(self.gymnasium, gymnasium.spaces.Discrete) else said

    def _to_env(self, row: Row) -> Any:
        numbers = [choice.number(row) for choice in self.choices]
        made = np.array(numbers, self.gymnasium.dtype).reshape(self.gymnasium.shape)
        return made[()] if made.ndim == 0 else made

    def _from_env(self, action: Any) -> Row:
        numbers = np.asarray(action)
        if numbers.shape != self.gymnasium.shape or numbers.dtype.kind not in "iub":
            raise ValueError(numbers)
        row = np.zeros(self.space.size, np.float32)
        for choice, number in zip(self.choices, numbers.reshape(-1).tolist(), strict=True):
            if place := choice.values.index(number):
                row[choice.places[place - 1]] = 1
        return row


@dataclass(frozen=True)
class _Axes(ActionMapping):
    def _to_env(self, row: Row) -> Any:
        low, high = self._ends
        share = (row.astype(np.float64) + 1) / 2
        values = low * (1 - share) + high * share
        if np.issubdtype(self.gymnasium.dtype, np.integer):
            values = np.rint(values)
        return values.astype(self.gymnasium.dtype).reshape(self.gymnasium.shape)

    def _from_env(self, action: Any) -> Row:
        low, high = self._ends
        values = np.asarray(action, np.float64)
        if np.asarray(action).dtype.kind not in "iubf" or values.shape != self.gymnasium.shape or np.isnan(values).any():
            raise ValueError(values)
        flat = values.reshape(-1)
        if ((flat < low) | (flat > high)).any():
            raise ValueError(values)
        return (2 * (flat - low) / (high - low) - 1).astype(np.float32)

    @property
    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        box = self.gymnasium
        assert isinstance(box, gymnasium.spaces.Box)
        return box.low.astype(np.float64).reshape(-1), box.high.astype(np.float64).reshape(-1)


@dataclass(frozen=True)
class _Both(ActionMapping):
    pressed: ActionMapping
    moved: ActionMapping

    @property
    def meanings(self) -> Any:
        return {"buttons": self.pressed.meanings, "axes": self.moved.meanings}

    def _to_env(self, row: Row) -> Any:
        count = self.pressed.space.size
        return {"buttons": self.pressed.to_env(row[:count]), "axes": self.moved.to_env(row[count:])}

    def _from_env(self, action: Any) -> Row:
        if not isinstance(action, Mapping) or set(action) != {"buttons", "axes"}:
            raise TypeError(action)
        return np.concatenate([self.pressed.from_env(action["buttons"]), self.moved.from_env(action["axes"])])


def _plain(action: Any) -> Any:
    """A tensor as plain numbers, of any precision and on any device; whatever else is given stays."""
    return action.tolist() if hasattr(action, "detach") else action


def _of_discrete(space: "gymnasium.spaces.Discrete", names: Sequence[str] | None) -> ActionMapping:
    start, count = int(space.start), int(space.n)
    if names is not None and len(names) == count - 1:
        names = [NOTHING, *names]
    called = _names(names, "action", count)
    idle = next((place for place, name in enumerate(called) if name.lower() in _IDLE), 0)
    others = [place for place in range(count) if place != idle]
    values = (start + idle, *(start + place for place in others))
    group = "choice" if len(others) > 1 else None
    buttons = tuple(Button(called[place], group=group) for place in others)
    return _Buttons(_space(space, buttons), space, (_Choice(values, tuple(range(len(others)))),))


def _of_multi_discrete(space: "gymnasium.spaces.MultiDiscrete", names: Sequence[str] | None) -> ActionMapping:
    counts, starts = space.nvec.reshape(-1).tolist(), space.start.reshape(-1).tolist()
    called = _names(names, "button", sum(counts) - len(counts))
    buttons: list[Button] = []
    choices = []
    for number, (count, start) in enumerate(zip(counts, starts, strict=True)):
        places = tuple(range(len(buttons), len(buttons) + count - 1))
        choices.append(_Choice(tuple(range(start, start + count)), places))
        buttons += [Button(called[place], group=f"choice {number}" if count > 2 else None) for place in places]
    return _Buttons(_space(space, tuple(buttons)), space, tuple(choices))


def _of_box(space: "gymnasium.spaces.Box", names: Sequence[str] | None) -> ActionMapping:
    low, high = space.low.astype(np.float64).reshape(-1), space.high.astype(np.float64).reshape(-1)
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all() and (high - low <= _WIDEST).all()):
        raise ActionError(
            f"got an action space {space!r:.200}; wanted finite ends, the lower below the upper and at most {_WIDEST:g} apart; "
            "wrap the environment in `gymnasium.wrappers.RescaleAction`, or one of your own"
        )
    called = _names(names, "axis", len(low))
    rests = np.clip(2 * (np.clip(0, low, high) - low) / (high - low) - 1, -1, 1)
    ends = zip(called, low.tolist(), high.tolist(), rests.tolist(), strict=True)
    return _Axes(ActionSpace(axes=tuple(Axis(name, None, *rest) for name, *rest in ends)), space)


def _of_dict(space: "gymnasium.spaces.Dict", names: Sequence[str] | None) -> ActionMapping:
    count = from_gymnasium(space["buttons"]).space.size
    pressed = from_gymnasium(space["buttons"], None if names is None else names[:count])
    moved = from_gymnasium(space["axes"], None if names is None else names[count:])
    return _Both(ActionSpace(pressed.space.buttons, moved.space.axes), space, pressed, moved)


def _mapping_of_buttons(space: ActionSpace) -> ActionMapping:
    grouped = {place: group for group in space.groups for place in group}
    parts = list(dict.fromkeys(grouped.get(place, (place,)) for place in range(space.size)))
    choices = tuple(_Choice(tuple(range(len(part) + 1)), part) for part in parts)
    kinds, counts = gymnasium.spaces, [len(part) + 1 for part in parts]
    if max(counts) == 2:
        return _Buttons(space, kinds.MultiBinary(len(parts)), choices)
    return _Buttons(space, kinds.Discrete(counts[0]) if len(parts) == 1 else kinds.MultiDiscrete(counts), choices)


def _space(space: "gymnasium.Space[Any]", buttons: tuple[Button, ...]) -> ActionSpace:
    if not buttons:
        raise ActionError(f"got an action space {space!r}, in which there is nothing to choose; wanted two choices or more")
    return ActionSpace(buttons)


def _names(names: Sequence[str] | None, what: str, count: int) -> list[str]:
    if count > _MOST:
        raise ActionError(f"got an action space of {count} numbers or choices; wanted at most {_MOST}; wrap the environment")
    if names is None:
        return [f"{what} {number}" for number in range(count)]
    if len(names) != count:
        raise ActionError(f"got {len(names)} names for {count} things to do; wanted a name for each")
    return [str(name).lower() for name in names]
