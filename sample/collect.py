"""Clips from streams: what `VideoGenerator.generate` collects."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from ..stride import Stride
from .batch import HasStepper, StreamBatch
from .clip import Clip
from .prompts import warn_of_late
from .stream import Stream

T = TypeVar("T")

_CLIPS_AT_ONCE = 8


def collect(stream: Stream, length: int, past: Sequence[Tensor] = ()) -> Clip:
    """The clip of a stream's first `length` latent frames; `past` are the frames of those that it has."""
    warn_of_late(stream.upcoming, length)
    frames = [*past, *(stream.advance().frames.cpu() for _ in range(length - stream.num_latent_frames))]
    return _clip(stream, torch.cat(frames))


def collect_batch(generator: HasStepper, streams: Sequence[Stream], length: int, past: Sequence[Tensor] = ()) -> list[Clip]:
    """The clips of several streams, made side by side in a batch; each is what `collect` makes of it alone."""
    for stream in streams:
        warn_of_late(stream.upcoming, length)
    batch = StreamBatch(generator, len(streams), any(stream.guided for stream in streams))
    batch.join(*streams)
    while streams[0].num_latent_frames < length:
        batch.step()
    made = [torch.stack([frame.image for frame in stream.take()]) for stream in streams]
    return [_clip(stream, torch.cat([*past, own])) for stream, own in zip(streams, made, strict=True)]


def in_batches(prompts: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many prompts at a time as are made side by side."""
    return (prompts[start : start + _CLIPS_AT_ONCE] for start in range(0, len(prompts), _CLIPS_AT_ONCE))


def check_longer(num_frames: int, given: Tensor | None, stride: Stride) -> None:
    """Raises ValueError if a clip is not to be longer than the tokens `[T, H, W]` that it begins with."""
    if given is not None and num_frames <= stride.num_frames(len(given)):
        raise ValueError(
            f"got num_frames {num_frames} and {stride.num_frames(len(given))} first frames; wanted more frames than are given; "
            f"ask for {stride.num_frames(len(given) + 1)} in all, for instance"
        )


def _clip(stream: Stream, frames: Tensor) -> Clip:
    assert stream.tokens is not None
    return Clip(frames, stream.tokens, stream.codec.fps, stream.prompts[0][1], stream.seed)
