"""Rate and distortion: a tokenizer beside the codecs that everyone has, at equal bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, log2

import numpy as np
import torch
from torch import Tensor

from ...data import CaptionedClip, VideoError, to_video
from ...data.video import CODECS, Codec, compress
from ..figures import Curve, Figure, Section, mean_of, of_draws
from ..metrics import psnr
from ..prediction import predicting, token_nats
from ..study import Progress, Study
from .held_out import HeldOut, Timed, short_clips
from .prediction import by_latent_frame

_LENGTH = 33  # frames, as far as the clips have them
_PLOT, _X, _Y = "PSNR against bits", "bits per pixel", "dB"


@dataclass(frozen=True, eq=False)
class Points:
    """What clips cost, and how near they come, at one setting or several.

    Attributes:
        bits: float64 `[clips, settings]`, per pixel.
        psnr: float64 `[clips, settings]`, in dB.
    """

    bits: np.ndarray
    psnr: np.ndarray

    def at(self, bits: float, draw: np.ndarray | slice = slice(None)) -> float:
        """PSNR of some of the clips at so many bits per pixel; that of the fewest or most bits of a setting beyond those."""
        means = self.bits[draw].mean(axis=0)
        order = np.argsort(means)
        return float(np.interp(log(bits), np.log(means[order]), self.psnr[draw].mean(axis=0)[order]))

    def curve(self, name: str) -> Curve:
        """Means over the clips, from the fewest bits to the most."""
        pairs = sorted(zip(self.bits.mean(axis=0).tolist(), self.psnr.mean(axis=0).tolist(), strict=True))
        x, y = zip(*pairs, strict=True)
        return Curve(_PLOT, name, x, y, _X, _Y)


@torch.inference_mode()
def video_rates(study: Study, progress: Progress) -> Section:
    """PSNR of held-out real clips by the tokenizer and by x264, x265 and AV1, at equal bits."""
    held_out = study.held_out if study.bundle.lm is not None else short_clips(study.bundle, study.settings)
    clips = [clip.frames[: _length(study, held_out)] for clip in held_out.clips]
    raw, coded = _own(study, held_out, clips)
    progress(0.3)
    others, missing = {}, []
    for index, codec in enumerate(CODECS):
        found = _of_codec(codec, clips, study.bundle.fps)
        if isinstance(found, Points):
            others[codec.name] = found
        else:
            missing.append(found)
        progress(0.3 + 0.7 * (index + 1) / len(CODECS))
    own = {"each token at its full bits": raw, "coded by its video LM": coded}
    points = {name: each for name, each in own.items() if each is not None}
    return Section(
        "rate-videos",
        "Real video: bits and likeness",
        f"{held_out.about}\n{_about(clips[0], missing)}",
        tuple(figure for name, each in points.items() for figure in _figures(name, each, others)),
        (*(each.curve(f"Framecast, {name}") for name, each in points.items()), *(o.curve(n) for n, o in others.items())),
    )


def _length(study: Study, held_out: HeldOut) -> int:
    """Frames of a clip: what the video LM sees at once, and no more than others use."""
    tokenizer, lm = study.bundle.tokenizer, study.bundle.lm
    most = min(_LENGTH, held_out.num_frames)
    most = most if lm is None else min(most, tokenizer.num_frames(lm.config.max_parallel_frames))
    return tokenizer.stride.trimmed(most)


def _own(study: Study, held_out: HeldOut, clips: Sequence[Tensor]) -> tuple[Points, Points | None]:
    """What the tokenizer makes of clips, at the bits of its tokens and at those that the video LM would need."""
    tokenizer, found, bits, coded = study.bundle.tokenizer, [], [], []
    for clip, frames in zip(held_out.clips, clips, strict=True):
        video = to_video(frames)[None]
        tokens = tokenizer.encode(video)
        found.append(float(psnr(tokenizer.decode(tokens), video)))
        per_pixel = tokens.numel() / (frames.shape[0] * frames.shape[1] * frames.shape[2])
        bits.append(log2(tokenizer.codebook_size) * per_pixel)
        if study.bundle.lm is not None:
            coded.append(_nats(study, clip, tokens) / log(2) * per_pixel)
    distortion = np.array(found)[:, None]
    told = Points(np.array(coded)[:, None], distortion) if coded else None
    return Points(np.array(bits)[:, None], distortion), told


def _nats(study: Study, clip: CaptionedClip, tokens: Tensor) -> float:
    """Nats per token, one token after the other, if nothing is said of the clip."""
    lm = study.bundle.lm
    assert lm is not None
    nothing: Timed = []
    return float(token_nats(lm, predicting(study, lm, tokens, *by_latent_frame(study, nothing), 1), tokens).mean())


def _of_codec(codec: Codec, clips: Sequence[Tensor], fps: float) -> Points | str:
    """What a codec makes of clips at all its qualities, or why there is nothing."""
    if not codec.is_there:
        return f"{codec.name} is left out, since the installed PyAV does not have it."
    bits, found = [], []
    try:
        for frames in clips:
            made = [compress(frames.numpy(), fps, codec, quality) for quality in codec.qualities]
            bits.append([each.num_bits / frames[..., 0].numel() for each in made])
            true = to_video(frames)[None]
            found.append([float(psnr(to_video(torch.from_numpy(each.frames))[None], true)) for each in made])
    except VideoError as error:
        return f"{codec.name} is left out: {error}."
    return Points(np.array(bits), np.array(found))


def _figures(name: str, own: Points, others: dict[str, Points]) -> list[Figure]:
    bits, likeness = own.bits[:, 0], own.psnr[:, 0]
    figures = [mean_of(f"bits per pixel, {name}", bits.tolist(), better="lower")]

    def apart(codec: str) -> Figure:
        return of_draws(
            f"PSNR of {codec} at these bits, {name}",
            lambda draw: others[codec].at(float(bits[draw].mean()), draw),
            len(bits),
            unit="dB",
            better="",
        )

    def gain(draw: np.ndarray) -> float:
        best = max(points.at(float(bits[draw].mean()), draw) for points in others.values())
        return float(likeness[draw].mean()) - best

    figures += [apart(codec) for codec in others]
    if others:
        least = min(float(points.bits.mean(axis=0).min()) for points in others.values())
        few = f" (whose smallest file has {least:.3f})" if bits.mean() < least else ""
        label = f"PSNR of the tokenizer above the best codec at these bits{few}, {name}"
        figures.append(of_draws(label, gain, len(bits), unit="dB", headline="LM" in name))
    return figures


def _about(frames: Tensor, missing: Sequence[str]) -> str:
    length, height, width = frames.shape[:3]
    return (
        f"The first {length} frames of {height}x{width} of each clip, through the tokenizer and through codecs at their slow "
        "settings, tuned for PSNR, with one key frame. The bits of a codec are those of its packets, without a container. "
        "A token has the logarithm of the number of codes in bits, or what the video LM says about it, without a caption, one "
        "token after the other: an entropy coder would need so many. PSNR at equal bits is read between two settings of a codec. "
        f"Where a codec cannot make so few bits, its smallest file stands for it, though it is larger. {' '.join(missing)}"
    ).strip()
