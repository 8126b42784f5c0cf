"""`ActionSpace`: the buttons and axes of a world, and its actions as rows of numbers. Loads without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kinds import real, shown

Action = NDArray[np.float32]
"""float32 `[A]`: what is done for one frame. NaN throughout is unknown."""

MOST = 256
"""Buttons and axes that a space may have."""
_LONGEST_NAME = 64
_MOST_LISTED = 12


class ActionError(ValueError):
    """An action, or a space of actions, that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Button:
    """Something that is on or off.

    Raises:
        ActionError: A name is empty, too long, or holds a sign that separates names.
    """

    name: str
    """What a person calls it, such as "left"."""
    key: str | None = None
    """The key that holds it, as browsers name keys (`KeyboardEvent.code`): "ArrowLeft", "KeyA", "Space"."""
    group: str | None = None
    """Of the buttons of one group at most one is on."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_texts(self.name, key=self.key, group=self.group)


@dataclass(frozen=True)
class Axis:
    """Something with a position in [-1, 1].

    Raises:
        ActionError: A name is none, `low` is not below `high`, or `rest` is not in [-1, 1].
    """

    name: str
    """What a person calls it, such as "steering"."""
    keys: tuple[str, str] | None = None
    """The keys that push it to -1 and to 1, named as for a `Button`."""
    low: float = -1.0
    """What -1 stands for where the action comes from, in its own unit."""
    high: float = 1.0
    """What 1 stands for there."""
    rest: float = 0.0
    """Where the axis is if nobody touches it: in [-1, 1]."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.keys is not None:
            if isinstance(self.keys, str) or len(self.keys) != 2:
                raise ActionError(
                    f"got the keys {self.keys!r:.80} of {self.name!r}; wanted two: those that push it to -1 and to 1"
                )
            object.__setattr__(self, "keys", tuple(self.keys))
            _check_texts(self.name, first=self.keys[0], second=self.keys[1])
        for end in ("low", "high", "rest"):
            object.__setattr__(self, end, float(_number(f"{end} of {self.name!r}", getattr(self, end))))
        finite = isfinite(self.low) and isfinite(self.high)
        if not finite or not self.low < self.high or not -1 <= self.rest <= 1:
            raise ActionError(
                f"got axis {self.name!r} from {self.low:g} to {self.high:g} with rest {self.rest:g}; wanted finite ends, the "
                "first below the second, and a rest in [-1, 1]"
            )


@dataclass(frozen=True)
class ActionSpace:
    """What can be done in a world. A row of numbers has the buttons first, 0 or 1 each, then the axes, in [-1, 1] each.

    Raises:
        ActionError: There is nothing in it, too much, or two things of one name.
    """

    buttons: tuple[Button, ...] = ()
    """What is on or off."""
    axes: tuple[Axis, ...] = ()
    """What has a position."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "buttons", tuple(self.buttons))
        object.__setattr__(self, "axes", tuple(self.axes))
        strange: list[object] = [each for each in self.buttons if not isinstance(each, Button)]
        strange += [each for each in self.axes if not isinstance(each, Axis)]
        if strange:
            raise ActionError(
                f"got {strange[0]!r:.80} in an action space; wanted a `Button` among buttons and an `Axis` among axes"
            )
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if not 1 <= self.size <= MOST or twice:
            raise ActionError(
                f"got {len(self.buttons)} buttons and {len(self.axes)} axes"
                + (f", {', '.join(twice)} twice" if twice else "")
                + f"; wanted 1 to {MOST} in all, each with a name of its own"
            )

    def __repr__(self) -> str:
        return f"ActionSpace({_listed(self.names)})"

    @property
    def size(self) -> int:
        """Numbers A of an action."""
        return len(self.buttons) + len(self.axes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the numbers of an action are called, in order."""
        return (*(button.name for button in self.buttons), *(axis.name for axis in self.axes))

    @property
    def nothing(self) -> Action:
        """The action of a person who touches nothing: no button on, every axis at rest."""
        return np.array([0.0] * len(self.buttons) + [axis.rest for axis in self.axes], np.float32)

    @property
    def unknown(self) -> Action:
        """The action of which nothing is known, which is another thing than `nothing`."""
        return np.full(self.size, np.nan, np.float32)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The places of the buttons that exclude each other, group by group."""
        grouped = sorted((button.group, place) for place, button in enumerate(self.buttons) if button.group is not None)
        return tuple(tuple(place for _, place in group) for _, group in groupby(grouped, key=lambda pair: pair[0]))

    def action(self, value: object) -> Action:
        """An action of whatever a person gives.

        Args:
            value: None is unknown. A text names the buttons that are on, such as "left+gas"; "" is nothing. A mapping has
                numbers, or truth values for buttons, by name; what it does not name is untouched. Anything else is A numbers.

        Raises:
            ActionError: It names something that is not there, or is of another size or out of range.
        """
        if value is None:
            return self.unknown
        if isinstance(value, str):
            named = dict.fromkeys((name for part in value.split("+") if (name := part.strip())), 1.0)
            return self._of_names(named)
        if isinstance(value, Mapping):
            return self._of_names(value)
        try:
            row = np.array(value.tolist() if hasattr(value, "tolist") else value, np.float32)  # also of tensors in bfloat16
        except (TypeError, ValueError, OverflowError) as error:
            raise ActionError(f"got {shown(value)} as an action; wanted {self._wanted}") from error
        if row.shape != (self.size,):
            raise ActionError(f"got an action of shape {list(row.shape)}; wanted {self._wanted}")
        return self.check(row[None])[0]

    def check(self, rows: NDArray[np.floating], what: str = "an action") -> NDArray[np.float32]:
        """Actions `[..., A]` as float32, if each is wholly known and in range, or wholly unknown.

        Args:
            rows: The actions.
            what: How an error calls them.

        Raises:
            ActionError: The last dimension is not A, a row is known in part, or a number is out of range.
        """
        given = np.asarray(rows, np.float32)
        if given.ndim == 0 or given.shape[-1] != self.size:
            raise ActionError(f"got {what} of shape {list(given.shape)}; wanted {self._wanted}")
        flat = given.reshape(-1, self.size)
        if (place := _first(np.isnan(flat).any(1) > np.isnan(flat).all(1))) is not None:
            names = [name for name, gone in zip(self.names, np.isnan(flat[place]), strict=True) if gone]
            raise ActionError(
                f"got {what} without a number for {_listed(names)} in row {place}; wanted all of {_listed(self.names)}, or none "
                "of them if the action is unknown"
            )
        buttons, axes = flat[:, : len(self.buttons)], flat[:, len(self.buttons) :]
        wrong = np.concatenate([~np.isin(buttons, (0, 1)) & ~np.isnan(buttons), np.abs(axes) > 1], axis=1)
        if (place := _first(wrong.any(1))) is not None:
            column = int(wrong[place].argmax())
            wanted = "0 or 1, it is a button" if column < len(self.buttons) else "-1 to 1, it is an axis"
            raise ActionError(f"got {what} with {self.names[column]} {flat[place, column]:g} in row {place}; wanted {wanted}")
        for group in self.groups:
            if (place := _first(np.nansum(flat[:, group], axis=1) > 1)) is not None:
                names = [self.names[each] for each in group]
                on = [name for name, each in zip(names, group, strict=True) if flat[place, each] == 1]
                raise ActionError(
                    f"got {what} with {' and '.join(on)} at once in row {place}; wanted at most one of {_listed(names)}"
                )
        return given

    def describe(self, action: NDArray[np.floating]) -> str:
        """An action `[A]` in words: "left + gas", "steering -0.5", "nothing" or "unknown"."""
        if np.isnan(action).all():
            return "unknown"
        on = [button.name for button, value in zip(self.buttons, action, strict=False) if value == 1]
        rests = zip(self.axes, action[len(self.buttons) :], strict=True)
        moved = [f"{axis.name} {value:.2g}" for axis, value in rests if value != np.float32(axis.rest)]
        return " + ".join(on + moved) or "nothing"

    def to_json(self) -> dict[str, Any]:
        """The space as plain values, from which `from_json` makes it again."""
        buttons = [{"name": each.name, "key": each.key, "group": each.group} for each in self.buttons]
        axes = [
            {"name": a.name, "keys": None if a.keys is None else list(a.keys), "low": a.low, "high": a.high, "rest": a.rest}
            for a in self.axes
        ]
        return {"buttons": buttons, "axes": axes}

    @classmethod
    def from_json(cls, values: object) -> "ActionSpace":
        """The space that `to_json` gave; what a button or an axis leaves out has its default.

        Raises:
            ActionError: The values are those of no space.
        """
        if not isinstance(values, Mapping) or not set(values) <= {"buttons", "axes"}:
            raise ActionError(f'got {values!r:.80} as an action space; wanted {{"buttons": [...], "axes": [...]}}')
        try:
            buttons = tuple(_button(each) for each in values.get("buttons") or ())
            axes = tuple(_axis(each) for each in values.get("axes") or ())
        except (TypeError, AttributeError, LookupError) as error:
            raise ActionError(
                f'got {values!r:.80} as an action space; wanted buttons with a "name" and maybe a "key" and a "group", and '
                'axes with a "name" and maybe "keys", "low", "high" and "rest"'
            ) from error
        return cls(buttons, axes)

    @property
    def _wanted(self) -> str:
        return f"{self.size} numbers, one each for {_listed(self.names)}"

    def _of_names(self, named: Mapping[Any, Any]) -> Action:
        strange = [str(name) for name in named if name not in self.names]
        if strange:
            raise ActionError(f"got {_listed(strange)}, which this world has not; wanted some of {_listed(self.names)}")
        row = self.nothing
        for name, value in named.items():
            number = float(value) if isinstance(value, bool | np.bool_) else value
            row[self.names.index(name)] = _number(name, number)
        return self.check(row[None])[0]


def _button(values: Mapping[str, Any]) -> Button:
    others = {name: None if value is None else _text(value) for name, value in values.items() if name != "name"}
    return Button(_text(values["name"]), **others)


def _axis(values: Mapping[str, Any]) -> Axis:
    given = dict(values)
    keys = given.pop("keys", None)
    name = _text(given.pop("name"))
    if keys is not None and (isinstance(keys, str) or len(keys) != 2):
        raise TypeError(keys)
    return Axis(name, None if keys is None else (_text(keys[0]), _text(keys[1])), **given)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(name: str, value: object) -> float:
    wanted = "a number"
    try:
        return float(real(name, value, -np.inf, np.inf, wanted))
    except ValueError as error:
        raise ActionError(str(error)) from None
    except OverflowError:
        raise ActionError(f"got {name} with a number of more than 300 digits; wanted {wanted}") from None


def _check_texts(of: str, **values: object) -> None:
    for what, value in values.items():
        if value is not None and not isinstance(value, str):
            raise ActionError(f"got the {what} {value!r:.80} of {of!r}; wanted a text")


def _check_name(name: str) -> None:
    if (
        not isinstance(name, str)
        or not name
        or len(name) > _LONGEST_NAME
        or name != name.strip()
        or "+" in name
        or not name.isprintable()
    ):
        raise ActionError(
            f"got {name!r:.80} as the name of a button or axis; wanted 1 to {_LONGEST_NAME} signs that can be seen, without "
            'a "+", which separates names'
        )


def _first(wrong: object) -> int | None:
    """The first place that is true."""
    places = np.flatnonzero(wrong)  # type: ignore[arg-type]
    return int(places[0]) if len(places) else None


def _listed(names: "list[str] | tuple[str, ...]") -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more
