"""What an arm makes of held-out videos: likeness at its bits, steadiness, and continuations."""

from dataclasses import dataclass
from math import log, log2

import torch
from torch import Tensor

from framecast.data import to_frames
from framecast.evaluate.flow import flow_lengths
from framecast.evaluate.steadiness import steady_share
from framecast.sample import SamplingParams
from framecast.tokenizer import VideoTokenizer

from ..worlds.clips import Clips
from ..worlds.judging import Figure, by_frame, dreamt
from ..worlds.training import World, tokenise

GIVEN, HORIZON = 17, 16
"""Frames that a continuation begins with, and frames of it."""
TEMPERATURES = (0.9, 0.6, 0.3)


@dataclass(frozen=True)
class Continued:
    """Continuations at one temperature.

    Attributes:
        gain: PSNR over the first second above that of the last frame repeated, clip by clip.
        motion: Optical flow over that of the true clips; 1 is as much.
    """

    gain: Figure
    motion: float


@dataclass(frozen=True)
class Verdict:
    """The figures of an arm, over `num_clips` held-out clips.

    Attributes:
        num_clips: Held-out clips.
        likeness: PSNR of the reconstruction, in dB.
        bits: Of a pixel, if each token has its full bits.
        coded: Of a pixel, as the video LM codes the tokens.
        codes: Different codes in use.
        repeated: Share of the tokens that are as in the latent frame before.
        steady: The same of a still scene with a camera's noise.
        nats: Of a token.
        continued: By temperature.
    """

    num_clips: int
    likeness: Figure
    bits: float
    coded: float
    codes: int
    repeated: float
    steady: Figure
    nats: float
    continued: dict[float, Continued]


@torch.no_grad()
def judge(world: World, tokenizer: VideoTokenizer, held: Clips) -> Verdict:
    """Judges an arm on held-out clips of `GIVEN + HORIZON` frames."""
    tokens, actions, video = tokenise(tokenizer, held), held.grouped(world.arm.stride), held.video()
    own = torch.cat([tokenizer.decode(part) for part in tokens.split(24)])
    per_pixel = tokens[0].numel() / video[0, 0].numel()
    nll, _ = world.nats(tokens, actions)
    return Verdict(
        num_clips=len(held),
        likeness=Figure.of(by_frame(own, video).mean(1)),
        bits=log2(tokenizer.codebook_size) * per_pixel,
        coded=float(nll.mean()) / log(2) * per_pixel,
        codes=tokens.unique().numel(),
        repeated=float((tokens[:, 1:] == tokens[:, :-1]).float().mean()),
        steady=Figure.of(torch.cat([steady_share(tokenizer, part) for part in video[:, :, 0].split(24)])),
        nats=float(nll.mean()),
        continued={each: _continued(world, tokenizer, tokens, video, held.fps, each) for each in TEMPERATURES},
    )


def _continued(
    world: World, tokenizer: VideoTokenizer, tokens: Tensor, video: Tensor, fps: float, temperature: float
) -> Continued:
    given, stride = 1 + (GIVEN - 1) // world.arm.stride, world.arm.stride
    nothing = torch.zeros(len(tokens), tokens.shape[1], stride, 0)
    params = SamplingParams(temperature=temperature, guidance_scale=1.0)
    made, true = dreamt(world, tokenizer, tokens[:, :given], nothing, params), video[:, :, GIVEN:]
    still, second = video[:, :, GIVEN - 1 : GIVEN].expand_as(true), slice(0, min(round(fps), HORIZON))
    gain = (by_frame(made, true) - by_frame(still, true))[:, second].mean(1)
    own, others = (sum(float(flow_lengths(to_frames(clip[None])[0]).mean()) for clip in clips) for clips in (made, true))
    return Continued(Figure.of(gain), own / max(others, 1e-9))
