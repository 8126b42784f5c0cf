"""Clips from streams: what `VideoGenerator.generate` collects."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from ..stride import Stride
from .batch import HasStepper, StreamBatch
from .clip import Clip
from .params import SamplingParams
from .plan import Actions
from .progress import Progress, following
from .prompts import is_batch, warn_of_late
from .stream import Stream

T = TypeVar("T")
Done = Callable[[int], object]
"""Is told how many frames there are."""

_CLIPS_AT_ONCE = 8


class Generates(HasStepper, Protocol):
    """A generator."""

    @property
    def stream(self) -> Callable[..., Stream]:
        """Starts a stream."""


def _beside(done: Done, before: int, streams: int) -> Done:
    """Is told the frames of one stream, and tells those of all, after the frames of clips that were made before."""
    return lambda own: done(before + streams * own)


def _nobody(done: int) -> None:
    """Is told in place of somebody."""


def make_clips(
    generator: Generates,
    prompt: Any,
    num_frames: int,
    seed: int,
    params: SamplingParams,
    given: Tensor | None = None,
    progress: Progress = None,
    actions: Actions | None = None,
    first_actions: Any = None,
) -> Clip | list[Clip]:
    """The clip of a prompt, or the clips of a list of prompts, each as it would be alone.

    Args:
        generator: Makes them.
        prompt: One prompt, or a list.
        num_frames: Length of each, given frames included.
        seed: Of each.
        params: How tokens are chosen.
        given: The tokens `[T, H, W]` that each begins with.
        progress: What shows how far all of them are.
        actions: What is done in each.
        first_actions: What was done in the given frames.

    Raises:
        ValueError: A prompt or an action cannot be taken, or no frame is to be made.
    """
    stride = generator.stepper.codec.stride
    length = stride.num_latent_frames(num_frames)
    check_longer(num_frames, given, stride)
    past = [] if given is None else [generator.stepper.codec.decode(given)]
    begin = partial(generator.stream, seed=seed, params=params, first_tokens=given, actions=actions, first_actions=first_actions)
    if not is_batch(prompt):
        with following(progress, num_frames) as done:
            return collect(begin(prompt), length, past, done)
    if isinstance(actions, Iterator):
        raise ValueError(
            "got an iterator of actions for several clips; wanted a list or an array, which each of them can begin anew"
        )
    for one in prompt:  # that every prompt can be taken is known before the first clip is made
        generator.stepper.check_prompt(one)
    clips: list[Clip] = []
    with following(progress, num_frames * len(prompt)) as done:
        for some in in_batches(prompt):
            streams = [begin(one) for one in some]
            clips += collect_batch(generator, streams, length, past, _beside(done, len(clips) * num_frames, len(some)))
    return clips


def collect(stream: Stream, length: int, past: Sequence[Tensor] = (), done: Done = _nobody) -> Clip:
    """The clip of a stream's first `length` latent frames; `past` are the frames of those that it has.

    `done` is told how many frames the clip has, again and again.
    """
    warn_of_late(stream.upcoming, length)
    frames, stride = list(past), stream.codec.stride
    done(stride.num_frames(stream.num_latent_frames))
    while stream.num_latent_frames < length:
        frames.append(stream.advance().frames.cpu())
        done(stride.num_frames(stream.num_latent_frames))
    return _clip(stream, torch.cat(frames))


def collect_batch(
    generator: HasStepper, streams: Sequence[Stream], length: int, past: Sequence[Tensor] = (), done: Done = _nobody
) -> list[Clip]:
    """The clips of several streams, made side by side in a batch; each is what `collect` makes of it alone."""
    for stream in streams:
        warn_of_late(stream.upcoming, length)
    stride = streams[0].codec.stride
    batch = StreamBatch.of(generator, streams)
    done(stride.num_frames(streams[0].num_latent_frames))
    while streams[0].num_latent_frames < length:
        batch.step()
        done(stride.num_frames(streams[0].num_latent_frames))
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
    return Clip(frames, stream.tokens, stream.codec.fps, stream.prompts[0][1], stream.seed, stream.codec.note, stream.actions)
