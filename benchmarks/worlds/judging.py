"""What an arm makes of held-out recordings: how near its dreams come to what was recorded, and whether they answer actions."""

import time
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from framecast.evaluate import psnr
from framecast.model import shift_tokens, to_grid
from framecast.sample import SamplingParams
from framecast.sample.decodings import ByRow, ChooserOf, NextFrame
from framecast.sample.sampling import BatchChooser, stream_uniforms
from framecast.tokenizer import VideoTokenizer

from .clips import Clips
from .training import World, tokenise

GIVEN, HORIZON = 17, 32
"""Frames that a dream begins with, and frames of the dream."""
PARAMS = SamplingParams(temperature=0.7, guidance_scale=1.0)
STILL = 26.0
"""Decibels of the last frame repeated from which a stretch counts as one that stands still."""
_OTHER = 7  # clips further on is the one whose actions stand for others


@dataclass(frozen=True)
class Figure:
    """A mean over held-out clips, with its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: Tensor) -> "Figure":
        """Of one number a clip, `[N]`."""
        return cls(values.mean().item(), values.std().item() / len(values) ** 0.5)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.error:.2f}"


@dataclass(frozen=True)
class Verdict:
    """The figures of an arm, over `num_clips` held-out clips; decibels but where it says otherwise.

    Attributes:
        num_clips: Held-out clips.
        num_moving: Those that do not stand still.
        tokens_a_second: Tokens that a second of video takes.
        ceiling: The tokenizer's own reconstruction of the frames that are dreamt.
        repeated: Share of the tokens that are as in the latent frame before.
        codes: Different codes in use.
        nats: Of a frame, given true actions.
        nats_lost: More nats of a frame, given those of another clip.
        dream: The first 16 frames of the dream.
        gain: How much nearer these are than the last given frame, repeated; of those that move.
        delta: How much nearer they are than those of a dream with another clip's actions; of those that move.
        late: The first 32 frames of the dream.
        frames_a_second: Of one stream on this machine, by plain modules on one thread.
    """

    num_clips: int
    num_moving: int
    tokens_a_second: float
    ceiling: Figure
    repeated: float
    codes: int
    nats: float
    nats_lost: float
    dream: Figure
    gain: Figure
    delta: Figure
    late: Figure
    frames_a_second: float


@torch.no_grad()
def judge(world: World, tokenizer: VideoTokenizer, held: Clips) -> Verdict:
    """Judges an arm on the first and the last stretch of every held-out clip."""
    length, stride = GIVEN + HORIZON, world.arm.stride
    cuts = [held.cut(start, length) for start in (0, held.frames.shape[1] - length)]
    clips = Clips(torch.cat([cut.frames for cut in cuts]), torch.cat([cut.actions for cut in cuts]), held.fps)
    tokens, actions, other = tokenise(tokenizer, clips), clips.grouped(stride), clips.grouped(stride).roll(_OTHER, 0)
    given = 1 + (GIVEN - 1) // stride
    truth = clips.video()[:, :, GIVEN:]
    own = torch.cat([tokenizer.decode(part) for part in tokens.split(24)])[:, :, GIVEN:]
    dream = dreamt(world, tokenizer, tokens[:, :given], actions)
    astray = dreamt(world, tokenizer, tokens[:, :given], torch.cat([actions[:, :given], other[:, given:]], dim=1))
    still = clips.video()[:, :, GIVEN - 1 : GIVEN].expand_as(truth)
    scores, near = by_frame(dream, truth), slice(0, HORIZON // 2)
    rest = by_frame(still, truth)
    moving = rest[:, near].mean(1) < STILL
    nats, lost = (_nats(world, tokens, each) for each in (actions, other))
    return Verdict(
        num_clips=len(clips),
        num_moving=int(moving.sum()),
        tokens_a_second=world.lm.frame_length * held.fps / stride,
        ceiling=Figure.of(by_frame(own, truth).mean(1)),
        repeated=(tokens[:, 1:] == tokens[:, :-1]).float().mean().item(),
        codes=tokens.unique().numel(),
        nats=nats,
        nats_lost=lost - nats,
        dream=Figure.of(scores[:, near].mean(1)),
        gain=Figure.of((scores - rest)[moving][:, near].mean(1)),
        delta=Figure.of((scores - by_frame(astray, truth))[moving][:, near].mean(1)),
        late=Figure.of(scores.mean(1)),
        frames_a_second=_rate(world, tokenizer, tokens[:1, :given], actions[:1]),
    )


def dreamt(world: World, tokenizer: VideoTokenizer, given: Tensor, actions: Tensor, params: SamplingParams = PARAMS) -> Tensor:
    """Frames `[B, 3, T, H, W]` after the given latent frames `[B, F, h, w]`, under the actions `[B, G, stride, A]` of all."""
    lm, rows, count = world.lm, len(given), given.shape[1]
    state, video = lm.init_state(rows), tokenizer.init_decoder_state(rows, *given.shape[2:])
    tokenizer.decode(given, video)
    inputs = shift_tokens(given, world.block_length, lm.start_id).unflatten(1, (count, -1))
    for frame in range(count):
        world(inputs[:, frame], actions[:, frame : frame + 1], state)
    previous, pictures = given[:, -1].flatten(1), []
    for frame in range(count, actions.shape[1]):
        now = actions[:, frame : frame + 1]
        following = NextFrame(lm, state, world.prompts(now), previous, world.block_length, world.vectors(now))
        previous = ByRow().find(following, _chooser(rows, frame, lm.frame_length, params)).tokens
        pictures.append(tokenizer.decode(to_grid(previous, lm.config.frame_shape), video))
    return torch.cat(pictures, dim=2)


def _chooser(rows: int, frame: int, num_tokens: int, params: SamplingParams) -> ChooserOf:
    """What chooses the tokens of a latent frame, with a seed a row."""
    uniforms = torch.stack([stream_uniforms(row, frame, num_tokens) for row in range(rows)])
    return lambda places: BatchChooser([params] * rows, uniforms[:, places])


def by_frame(video: Tensor, target: Tensor) -> Tensor:
    """PSNR of each frame in dB, `[B, T]`."""
    frames = [rearrange(each, "b c t h w -> (b t) c 1 h w") for each in (video, target)]
    return psnr(*frames).unflatten(0, (len(video), -1))


def _nats(world: World, tokens: Tensor, actions: Tensor) -> float:
    """Of a frame, in the longest window, the first latent frame left out."""
    window = slice(0, world.lm.config.max_parallel_frames)
    nll, _ = world.nats(tokens[:, window], actions[:, window])
    return nll[:, world.lm.frame_length :].mean().item() * world.lm.frame_length / world.arm.stride


def _rate(world: World, tokenizer: VideoTokenizer, given: Tensor, actions: Tensor) -> float:
    """Frames that one stream makes in a processor second."""
    started = time.process_time()
    frames = dreamt(world, tokenizer, given, actions).shape[2]
    return frames / (time.process_time() - started)
