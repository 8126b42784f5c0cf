"""Actions, rewards and ends in a shard: tensors over all its clips, with a value for what is unknown."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..actions import ActionSpace
from .index import TokenClip

_UNKNOWN_END = -1


def stacked_steps(clips: list[TokenClip]) -> dict[str, Tensor]:
    """The tensors of a shard beside its tokens; a tensor is left out if no clip has any of it."""
    found = {
        "actions": _stacked([clip.actions for clip in clips], torch.float32, torch.nan),
        "rewards": _stacked([clip.rewards for clip in clips], torch.float32, torch.nan),
        "ends": _stacked([clip.ends for clip in clips], torch.int8, _UNKNOWN_END),
    }
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def known_steps(rows: dict[str, Tensor]) -> dict[str, Tensor | None]:
    """What is known of one clip, of its rows of those tensors, as a `TokenClip` takes it."""
    return {name: _KNOWN[name](row) for name, row in rows.items()}


def step_shapes(num_latent_frames: int, space: ActionSpace | None, action_frames: int) -> dict[str, tuple[int, ...]]:
    """The shape that each of those tensors has for a clip."""
    shapes: dict[str, tuple[int, ...]] = {"rewards": (num_latent_frames,), "ends": (num_latent_frames,)}
    return shapes if space is None else {"actions": (num_latent_frames, action_frames, space.size), **shapes}


def _stacked(rows: list[Tensor | None], dtype: torch.dtype, unknown: float) -> Tensor | None:
    known = next((row for row in rows if row is not None), None)
    if known is None:
        return None
    return torch.stack([torch.full(known.shape, unknown, dtype=dtype) if row is None else row.cpu().to(dtype) for row in rows])


def _known_numbers(row: Tensor) -> Tensor | None:
    return None if row.isnan().all() else row


def _known_ends(row: Tensor) -> Tensor | None:
    return None if (row == _UNKNOWN_END).any() else row == 1


_KNOWN: dict[str, Callable[[Tensor], Any]] = {"actions": _known_numbers, "rewards": _known_numbers, "ends": _known_ends}
