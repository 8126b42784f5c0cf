"""Sound inputs, a little wrong: bytes that flip, move, repeat and go missing, and values in the place of others."""

import random
from typing import Any

import torch
from torch import Tensor

_EDGES = (0, 1, 0x7F, 0x80, 0xFF)
_STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    7,
    2**31,
    2**63,
    10**30,
    -(10**18),
    0.5,
    -0.0,
    float("inf"),
    float("nan"),
    1e308,
    "",
    "os.system",
    "a" * 5000,
    "\u0000\ud800",
    [],
    [[]],
    {},
    {"class_path": "os.system"},
    [0] * 50,
)


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to four small damages."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(changed) + 1)
        length = rng.choice((1, 1, 1, 2, 4, 8, 64))
        kind = rng.randrange(6)
        if kind == 0 and place < len(changed):
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[place : place + length] = bytes(rng.choice(_EDGES) for _ in range(length))
        elif kind == 2:
            del changed[place : place + length]
        elif kind == 3:
            changed[place:place] = changed[: length * 4]
        elif kind == 4:
            del changed[place:]
        else:
            changed[place : place + 8] = rng.choice((2**63 - 1, 2**31, len(data), 0)).to_bytes(8, "little")
    return bytes(changed)


def mutate_values(value: Any, rng: random.Random) -> Any:
    """A copy with one leaf, name or branch changed; dicts and lists as JSON has them."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        kind = rng.random()
        if kind < 0.1:
            return {key: child for key, child in value.items() if key != name}
        if kind < 0.15:
            return {**value, "extra": rng.choice(_STRANGE)}
        return {**value, name: mutate_values(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.1:
            return value[:place] + value[place + 1 :]
        if kind < 0.2:
            return value + value[place:]
        return [*value[:place], mutate_values(value[place], rng), *value[place + 1 :]]
    if isinstance(value, int) and not isinstance(value, bool) and rng.random() < 0.3:
        return value + rng.choice((-1, 1, 2, 16, 1024, 10**6))
    return rng.choice(_STRANGE)


def mutate_tensors(tensors: dict[str, Tensor], rng: random.Random) -> dict[str, Tensor]:
    """A copy in which one tensor is missing, extra, of another shape or type, or of other values."""
    if not tensors:
        return {"extra": torch.zeros(1)}
    name = rng.choice(list(tensors))
    value, kind = tensors[name], rng.randrange(7)
    changed = {
        0: lambda: value.flatten(),
        1: lambda: value[:0].clone() if value.ndim else value,
        2: lambda: value.float(),
        3: lambda: torch.full_like(value, 100 if value.dtype in (torch.uint8, torch.uint16) else -3),
        4: lambda: torch.zeros(*value.shape, 2, dtype=value.dtype),
        5: lambda: torch.full(value.shape, float("nan")),
    }
    if kind == 6:
        return {key: child for key, child in tensors.items() if key != name}
    return {**tensors, name: changed[kind]()}
