"""Clips from streams: what `VideoGenerator.generate` collects."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .batch import StreamBatch
from .clip import Clip
from .prompts import warn_of_late
from .stream import Stream


def collect(stream: Stream, length: int, past: Sequence[Tensor] = ()) -> Clip:
    """The clip of a stream's first `length` latent frames; `past` are the frames of those that it has."""
    warn_of_late(stream.own_state.upcoming, length)
    frames = [*past, *(stream.advance().frames.cpu() for _ in range(length - len(stream.log)))]
    return _clip(stream, torch.cat(frames))


def collect_batch(streams: Sequence[Stream], length: int, past: Sequence[Tensor] = ()) -> list[Clip]:
    """The clips of several streams of one generator, made side by side; each is what `collect` makes of it alone."""
    for stream in streams:
        warn_of_late(stream.own_state.upcoming, length)
    batch = StreamBatch(streams[0].generator, len(streams), any(stream.own_state.guided for stream in streams))
    batch.join(*streams)
    while len(streams[0].log) < length:
        batch.step()
    made = [torch.stack([frame.image for frame in stream.ready]) for stream in streams]
    return [_clip(stream, torch.cat([*past, own])) for stream, own in zip(streams, made, strict=True)]


def _clip(stream: Stream, frames: Tensor) -> Clip:
    assert stream.tokens is not None
    return Clip(frames, stream.tokens, stream.generator.fps, stream.prompts[0][1], stream.own_state.seed)
