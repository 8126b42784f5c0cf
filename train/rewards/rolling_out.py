"""Groups of clips that a video LM makes, each group of one prompt: what rewards are given for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import CaptionedClip
from ...sample import SamplingParams, StreamBatch, VideoGenerator
from ...sample.stream import Stream
from ..continuing import done
from .reward import MadeClips


@dataclass(frozen=True)
class Rollout:
    """What was made.

    Attributes:
        made: P groups of G clips, one group after the other.
        tokens: int64 `[P * G, T, H, W]`, of the whole clips.
        fork: The first latent frame in which the clips of a group may differ.
    """

    made: MadeClips
    tokens: Tensor
    fork: int


@dataclass(frozen=True)
class Plan:
    """How groups are made.

    Attributes:
        group_size: Clips of a group.
        length: Latent frames of each.
        given: Latent frames of the true clip that each clip begins with.
        fork: The latent frame from which on the clips of a group go apart; `given` or more.
        params: How tokens are chosen.
    """

    group_size: int
    length: int
    given: int
    fork: int
    params: SamplingParams


def roll_out(generator: VideoGenerator, clips: Sequence[CaptionedClip], tokens: Tensor, plan: Plan) -> Rollout:
    """Makes a group for each true clip, with seeds from torch's generator; all clips are made side by side.

    Args:
        generator: Makes them.
        clips: P true clips, which say what is to be shown and done.
        tokens: int64 `[P, T, H, W]`, theirs.
        plan: How.
    """
    stride = generator.codec.stride
    seeds = torch.randint(2**31, (len(clips), plan.group_size)).tolist()
    with torch.no_grad():
        if plan.fork > plan.given:  # what the clips of a group share is made once
            trunks = [_begin(generator, *each, plan) for each in zip(clips, tokens, (own[0] for own in seeds), strict=True)]
            _make(generator, trunks, plan.fork)
            streams = [branch for trunk, own in zip(trunks, seeds, strict=True) for branch in trunk.branch(own)]
        else:
            each_clip = [(clip, own, seed) for clip, own, row in zip(clips, tokens, seeds, strict=True) for seed in row]
            streams = [_begin(generator, *each, plan) for each in each_clip]
        _make(generator, streams, plan.length)
    frames = torch.stack([torch.stack([frame.image for frame in stream.take()]) for stream in streams])
    if plan.given:
        past = torch.stack([generator.decode(own[: plan.given]) for own in tokens])
        frames = torch.cat([past.repeat_interleave(plan.group_size, dim=0), frames], dim=1)
    sources = tuple(clip for clip in clips for _ in range(plan.group_size))
    made = MadeClips(frames, sources, stride.num_frames(plan.given) if plan.given else 0)
    return Rollout(made, torch.stack([_tokens(stream) for stream in streams]), plan.fork)


def _begin(generator: VideoGenerator, clip: CaptionedClip, tokens: Tensor, seed: int, plan: Plan) -> Stream:
    first = tokens[: plan.given] if plan.given else None
    past, actions = done(generator, clip, plan.given) if plan.given else (None, clip.actions if generator.action_space else None)
    prompt = [(caption.start / generator.fps, caption.text) for caption in clip.captions]
    return generator.stream(prompt, seed, plan.params, first_tokens=first, actions=actions, first_actions=past)


def _make(generator: VideoGenerator, streams: Sequence[Stream], length: int) -> None:
    """Lets all streams have so many latent frames, side by side."""
    batch = StreamBatch.of(generator, streams)
    while streams[0].num_latent_frames < length:
        batch.step()
    for stream in streams:
        stream.leave()


def _tokens(stream: Stream) -> Tensor:
    assert stream.tokens is not None, "it has made some"
    return stream.tokens.clone()  # outside of inference mode, so that gradients may pass by
