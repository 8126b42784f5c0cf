"""Continuations of held-out clips, and how close they come to what truly followed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..data import Caption, CaptionedClip, to_video
from ..data.actions import ActionSpace
from ..evaluate import psnr
from ..sample import SamplingParams, StreamBatch, VideoGenerator
from ..sample.prompts import NO_CAPTION
from ..sample.stream import Stream

UNTOLD = [(0.0, NO_CAPTION)]
"""What stands in the place of a prompt if nothing is said of a clip: without guidance to it, the null prompt holds."""

Prompt = list[tuple[float, str]]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A clip that was not trained on.

    Attributes:
        clip: Its true frames and captions.
        tokens: int64 `[T, h, w]`, what the tokenizer makes of it.
    """

    clip: CaptionedClip
    tokens: Tensor


@dataclass(frozen=True)
class Likeness:
    """How close continuations come to the truth, in dB of PSNR, means over the clips.

    Attributes:
        continuation: Of what the model made.
        repeat: Of the last given frame, repeated.
        seconds: Length of what was made.
        num_clips: How many clips.
    """

    continuation: float
    repeat: float
    seconds: float
    num_clips: int

    def __str__(self) -> str:
        return (
            f"continues held-out video with {self.continuation:.1f} dB; repeating the last frame has {self.repeat:.1f} "
            f"({self.num_clips} clips, {self.seconds:.1f} s each)"
        )


def given_latents(held_out: HeldOut, stride: int) -> int:
    """Latent frames that are given, so that the last second of the clip is made; at least one of each."""
    second = max(1, round(held_out.clip.fps / stride))
    return max(1, len(held_out.tokens) - second)


def continuations(
    generator: VideoGenerator, clips: Sequence[HeldOut], params: SamplingParams, is_stopping: Callable[[], bool]
) -> list[Tensor] | None:
    """Clips of the same length, uint8 `[T, H, W, 3]`, of which the last second is made; None if the run is to stop.

    Args:
        generator: Makes them.
        clips: All of one length, of at least two latent frames.
        params: How tokens are chosen.
        is_stopping: Asked before every latent frame.
    """
    given = given_latents(clips[0], generator.codec.stride.frames)
    streams, past = [], []
    for seed, held_out in enumerate(clips):
        prompt, own = told(held_out.clip.captions, held_out.clip.fps, params)
        first = held_out.tokens[:given]
        past_actions, actions = done(generator, held_out.clip, given)
        streams.append(generator.stream(prompt, seed, own, first_tokens=first, actions=actions, first_actions=past_actions))
        past.append(generator.decode(first))
    made = run(generator, streams, len(clips[0].tokens), is_stopping)
    return None if made is None else [torch.cat(both) for both in zip(past, made, strict=True)]


def done(generator: VideoGenerator, clip: CaptionedClip, given: int) -> tuple[Tensor | None, Tensor | None]:
    """What was truly done in the first `given` latent frames of a clip and after them, float32 `[T, A]`; None if not known."""
    if clip.actions is None or generator.action_space is None:
        return None, None
    frames = generator.codec.stride.num_frames(given)
    return clip.actions[:frames], clip.actions[frames:]


def held_actions(space: ActionSpace, most: int) -> dict[str, Tensor]:
    """Actions to try a world with, float32 `[A]`, by their names: nothing, each button, each axis at both ends."""
    values = ["", *(button.name for button in space.buttons), *({a.name: end} for a in space.axes for end in (-1.0, 1.0))]
    rows = [space.action(value) for value in values[:most]]
    return {space.describe(row): torch.from_numpy(row) for row in rows}


def acted(
    generator: VideoGenerator,
    held_out: HeldOut,
    actions: Iterable[Tensor],
    params: SamplingParams,
    is_stopping: Callable[[], bool],
) -> list[Tensor] | None:
    """The beginning of a clip, continued under each of some actions, uint8 `[T, H, W, 3]`; None if the run is to stop."""
    given = given_latents(held_out, generator.codec.stride.frames)
    prompt, own = told(held_out.clip.captions, held_out.clip.fps, params)
    first = held_out.tokens[:given]
    known, _ = done(generator, held_out.clip, given)
    streams = [generator.stream(prompt, 0, own, first_tokens=first, actions=row, first_actions=known) for row in actions]
    made, past = run(generator, streams, len(held_out.tokens), is_stopping), generator.decode(first)
    return None if made is None else [torch.cat([past, each]) for each in made]


def prompted(
    generator: VideoGenerator,
    prompts: Sequence[str],
    num_frames: int,
    params: SamplingParams,
    is_stopping: Callable[[], bool],
) -> list[Tensor] | None:
    """Clips of prompts, uint8 `[T, H, W, 3]`, always with the same seeds; None if the run is to stop. "" is no prompt."""
    told_of = [told([Caption(0, text)], generator.fps, params) for text in prompts]
    streams = [generator.stream(prompt, seed, own) for seed, (prompt, own) in enumerate(told_of)]
    return run(generator, streams, generator.codec.stride.num_latent_frames(num_frames), is_stopping)


def told(captions: Sequence[Caption], fps: float, params: SamplingParams) -> tuple[Prompt, SamplingParams]:
    """The prompt that captions make, and the settings to go with it."""
    if not captions[0].text:
        return UNTOLD, replace(params, guidance_scale=0.0)
    return [(caption.start / fps, caption.text) for caption in captions if caption.text], params


def run(
    generator: VideoGenerator, streams: Sequence[Stream], num_latent_frames: int, is_stopping: Callable[[], bool]
) -> list[Tensor] | None:
    """The frames that streams make until they have so many latent frames, side by side; None if the run is to stop."""
    batch = StreamBatch.of(generator, streams)
    while streams[0].num_latent_frames < num_latent_frames:
        if is_stopping():
            return None
        batch.step()
    return [torch.stack([frame.image for frame in stream.take()]) for stream in streams]


def likeness(clips: Sequence[HeldOut], made: Sequence[Tensor], given_frames: int) -> Likeness:
    """Compares continuations with what truly followed, from frame `given_frames` on."""
    true = torch.stack([held_out.clip.frames for held_out in clips])
    after, last = true[:, given_frames:], true[:, given_frames - 1 : given_frames]
    target = to_video(after)
    close = psnr(to_video(torch.stack(list(made))[:, given_frames:]), target)
    still = psnr(to_video(last.expand_as(after)), target)
    seconds = after.shape[1] / clips[0].clip.fps
    return Likeness(float(close.mean()), float(still.mean()), seconds, len(clips))
