"""State that belongs to the caller: plain dataclasses of tensors with the batch as their first dimension.

`y = module(x, state)` reads and updates `state`; `None` stands for a fresh state that is used once and dropped. Every room may
import this module, which knows torch and nothing of ours.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Self

import torch
from torch import Tensor


def map_tensors(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """The same structure with `function` applied to every tensor; everything else is kept as it is."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, tuple):
        return type(value)(map_tensors(function, item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: map_tensors(function, getattr(value, field.name)) for field in fields(value)})
    return value


def named_tensors(value: Any, name: str = "") -> dict[str, Tensor]:
    """All tensors of a structure by their paths, such as `layers.3.keys`, in the order in which `map_tensors` meets them."""
    if isinstance(value, Tensor):
        return {name: value}
    parts: dict[str, Any] = {}
    if isinstance(value, tuple):
        parts = {str(place): item for place, item in enumerate(value)}
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    below = f"{name}." if name else ""
    return {path: tensor for part, item in parts.items() for path, tensor in named_tensors(item, below + part).items()}


def tensors_of(value: Any) -> list[Tensor]:
    """All tensors of a structure, in the order in which `map_tensors` meets them."""
    return list(named_tensors(value).values())


class State:
    """What every state can do, whatever module made it. Subclasses are dataclasses (or `States`)."""

    def clone(self) -> Self:
        """A copy that shares no memory with this state."""
        return map_tensors(torch.clone, self)

    def expand(self, n: int) -> Self:
        """Each row `n` times, in new memory: `[a, b].expand(2)` is `[a, a, b, b]`."""
        return map_tensors(lambda x: x.repeat_interleave(n, dim=0), self)

    def select(self, rows: list[int] | Tensor) -> Self:
        """The given rows of the batch, in that order, in new memory."""
        return map_tensors(lambda x: x.index_select(0, torch.as_tensor(rows, dtype=torch.int64, device=x.device)), self)

    def put(self, rows: list[int] | Tensor, other: Self) -> None:
        """Overwrites the given rows of the batch with all rows of `other`, a state of the same module; undoes `select`."""
        for own, value in zip(tensors_of(self), tensors_of(other), strict=True):
            own.index_copy_(0, torch.as_tensor(rows, dtype=torch.int64, device=own.device), value.to(own.dtype))


class States(tuple, State):
    """The state of a container: the tuple of its children's states."""
