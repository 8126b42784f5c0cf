"""The KV cache of a stream: the latent frame in the making, the sink and a ring of whole latent frames.

Each layer has one buffer. All that can be seen is always one contiguous slice of the buffer, and needs no copy:

    [ the frame in the making, its newest token leftmost | sink frames | ring of context frames ]

The frame in the making grows to the left, towards index 0; the past fills to the right, once, and is then overwritten in whole
frames. A frame enters the past when it is finished: no query of the frame is left then that needs what the frame overwrites.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..state import State, States
from .cpu import cache_dtype
from .positions import frame_positions, rotary, rotate


@dataclass(frozen=True)
class CacheShape:
    """Sizes of a cache, in latent frames and tokens."""

    frame_shape: tuple[int, int]
    sink_frames: int
    context_frames: int

    @property
    def frame_length(self) -> int:
        """Tokens of a latent frame."""
        return self.frame_shape[0] * self.frame_shape[1]

    @property
    def past_frames(self) -> int:
        """Finished latent frames that are kept."""
        return self.sink_frames + self.context_frames

    def slot(self, frame: int) -> int:
        """Where among the kept frames a finished latent frame lies."""
        if frame < self.past_frames:
            return frame
        return self.sink_frames + (frame - self.sink_frames) % self.context_frames

    def sink_shift(self, frame: int) -> int:
        """How far the sink has moved when `frame` is in the making: it always sits just before the window."""
        return max(0, frame - self.past_frames)


@dataclass
class LayerCache(State):
    """Keys and values of one layer.

    Attributes:
        keys: `[B, N, (1 + past_frames) * frame_length, D]`, rotated to their places.
        values: As `keys`.
        sink_keys: `[B, N, sink_frames * frame_length, D]`, not rotated: the sink's places move with the window.
    """

    keys: Tensor
    values: Tensor
    sink_keys: Tensor


@dataclass
class LMState(State):
    """Where a batch of streams stands: `VideoLM`'s state.

    Attributes:
        layers: One `LayerCache` a layer.
        frames: int64 `[B]` on the CPU, the finished latent frames of each stream.
        filled: Tokens of the frame in the making that are in the cache; the same for all streams.
    """

    layers: States
    frames: Tensor
    filled: int


def init_cache(
    shape: CacheShape, batch_size: int, num_layers: int, num_heads: int, head_dim: int, like: Tensor, fill: float
) -> LMState:
    """An empty cache on `like`'s device and as exact; `fill` is what unwritten places hold (NaN in tests)."""
    capacity = (1 + shape.past_frames) * shape.frame_length
    dtype = cache_dtype(like)

    def empty(length: int) -> Tensor:
        return like.new_full((batch_size, num_heads, length, head_dim), fill, dtype=dtype)

    sink = shape.sink_frames * shape.frame_length
    layers = States(LayerCache(empty(capacity), empty(capacity), empty(sink)) for _ in range(num_layers))
    return LMState(layers, torch.zeros(batch_size, dtype=torch.int64), filled=0)


@dataclass(frozen=True)
class Piece:
    """A run of tokens inside one latent frame, and where the cache holds what they may see; shared by all layers.

    Attributes:
        angles: Cosines and sines of the rotary angles of the new tokens.
        offset: Tokens of this frame that came before.
        length: New tokens.
        past: Finished frames to be read.
        sink_rows: For each stream whose frame belongs to the sink: its row and the frame's number.
        mask: bool `[B, 1, length, keys]`, or `None` if all is seen.
        shape: Sizes of the cache.
    """

    angles: tuple[Tensor, Tensor]
    offset: int
    length: int
    past: int
    sink_rows: tuple[tuple[int, int], ...]
    mask: Tensor | None
    shape: CacheShape

    def extend(self, cache: LayerCache, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Writes the new tokens' unrotated `keys` and `values` `[B, N, length, D]`; returns all that can be seen."""
        frame = self.shape.frame_length
        start = frame - self.offset - self.length
        own = slice(start, frame - self.offset)
        cache.keys[:, :, own] = rotate(keys, self.angles).flip(2)
        cache.values[:, :, own] = values.flip(2)
        for row, sink_frame in self.sink_rows:
            place = sink_frame * frame + self.offset
            cache.sink_keys[row, :, place : place + self.length] = keys[row]
        end = frame * (1 + self.past)
        return cache.keys[:, :, start:end], cache.values[:, :, start:end]


def plan_piece(state: LMState, shape: CacheShape, blocks: Tensor, head_dim: int) -> Piece:
    """Plans the forward of the next tokens of the frame in the making; `blocks` `[B, length]` are their block numbers."""
    device, length = state.layers[0].keys.device, blocks.shape[1]
    ages = state.frames.to(device)
    places = frame_positions(ages[:, None], *shape.frame_shape)[:, state.filled : state.filled + length]
    cos, sin = rotary(places, head_dim)
    past = min(int(state.frames.max()), shape.past_frames)
    mask = _piece_mask(state, shape, blocks, past)
    sink_rows = tuple((row, age) for row, age in enumerate(state.frames.tolist()) if age < shape.sink_frames)
    return Piece((cos[:, None], sin[:, None]), state.filled, length, past, sink_rows, mask, shape)


def _piece_mask(state: LMState, shape: CacheShape, blocks: Tensor, past: int) -> Tensor | None:
    same_age = bool((state.frames == state.frames[0]).all())
    if same_age and bool((blocks == blocks[:, :1]).all()):
        return None  # one block sees everything before it and itself
    device, (batch, length) = state.layers[0].keys.device, blocks.shape
    blocks, ages = blocks.to(device), state.frames.to(device)
    own = blocks.flip(1)[:, None, :] <= blocks[:, :, None]
    earlier = own.new_ones(batch, length, state.filled)
    written = torch.arange(past, device=device) < ages[:, None]
    seen = written.repeat_interleave(shape.frame_length, dim=1)[:, None].expand(-1, length, -1)
    return torch.cat([own, earlier, seen], dim=-1)[:, None]


def finish_frame(state: LMState, shape: CacheShape, head_dim: int) -> None:
    """Moves the finished frame of every stream into its past and turns the sink to its places for the next one."""
    frame = shape.frame_length
    for age, rows in _groups(state.frames):
        slot = (1 + shape.slot(age)) * frame
        for cache in state.layers:
            cache.keys[rows, :, slot : slot + frame] = cache.keys[rows, :, :frame].flip(2)  # in raster order, as the sink's
            cache.values[rows, :, slot : slot + frame] = cache.values[rows, :, :frame].flip(2)
        _place_sink(state.layers, shape, rows, age + 1, head_dim)
    state.frames = state.frames + 1
    state.filled = 0


def replace_sink(state: LMState, other: LMState, shape: CacheShape, head_dim: int) -> None:
    """Puts the first latent frame of `other`, which has made only that, in the place of the sink's first one.

    Both states are before a latent frame. The window of `state` has rolled on, so its first frame is seen as the sink alone.
    """
    frame = shape.frame_length
    for cache, fresh in zip(state.layers, other.layers, strict=True):
        cache.sink_keys[:, :, :frame] = fresh.sink_keys[:, :, :frame]
        cache.values[:, :, frame : 2 * frame] = fresh.values[:, :, frame : 2 * frame]
    for age, rows in _groups(state.frames):
        _place_sink(state.layers, shape, rows, age, head_dim)


def _place_sink(layers: States, shape: CacheShape, rows: slice | Tensor, frame: int, head_dim: int) -> None:
    shift, length = shape.sink_shift(frame), shape.frame_length
    if shift == 0 or shape.sink_frames == 0:
        return  # still where it was written
    device = layers[0].keys.device
    angles = rotary(frame_positions(torch.arange(shape.sink_frames, device=device) + shift, *shape.frame_shape), head_dim)
    for cache in layers:
        cache.keys[rows, :, length : (1 + shape.sink_frames) * length] = rotate(cache.sink_keys[rows], angles)


def _groups(frames: Tensor) -> list[tuple[int, slice | Tensor]]:
    """The rows of the batch by age; a slice, which copies nothing, if all are alike."""
    ages = frames.unique().tolist()
    if len(ages) == 1:
        return [(ages[0], slice(None))]
    return [(age, (frames == age).nonzero().flatten()) for age in ages]
