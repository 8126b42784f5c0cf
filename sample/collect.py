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
    warn_of_late(stream.upcoming, length)
    frames = [*past, *(stream.advance().frames.cpu() for _ in range(length - stream.num_latent_frames))]
    return _clip(stream, torch.cat(frames))


def collect_batch(batch: StreamBatch, streams: Sequence[Stream], length: int, past: Sequence[Tensor] = ()) -> list[Clip]:
    """The clips of several streams, made side by side in a batch; each is what `collect` makes of it alone."""
    for stream in streams:
        warn_of_late(stream.upcoming, length)
    batch.join(*streams)
    while streams[0].num_latent_frames < length:
        batch.step()
    made = [torch.stack([frame.image for frame in stream.take()]) for stream in streams]
    return [_clip(stream, torch.cat([*past, own])) for stream, own in zip(streams, made, strict=True)]


def _clip(stream: Stream, frames: Tensor) -> Clip:
    assert stream.tokens is not None
    return Clip(frames, stream.tokens, stream.codec.fps, stream.prompts[0][1], stream.seed)
