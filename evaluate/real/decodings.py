"""Decodings side by side on real clips: how near they go on, and what a frame costs."""

import time
import warnings
from dataclasses import replace

import numpy as np
from torch import Tensor

from ...data import to_video
from ...sample import PromptWarning, SamplingParams
from ...sample.prompts import NO_CAPTION
from ..figures import Curve, Section, mean_of
from ..study import Progress, Study, part_of
from .continuation import by_frame

_KINDS = {"jacobi": "token (jacobi)", "row": "row", "frame": "frame"}
_TIMED = 8  # latent frames
_ONE_IN = 4  # clips: token by token takes as long as all else together


def video_decodings(study: Study, progress: Progress) -> Section:
    """Token, row and frame decoding of the same beginnings at equal seeds."""
    clips, fps = study.held_out.clips[:: min(_ONE_IN, len(study.held_out.clips))], study.bundle.fps
    prompts, second = [study.captions(clip) for clip in clips], min(round(fps), study.held_out.made)
    found: dict[str, np.ndarray] = {}
    figures, curves = [], []
    for at, (kind, name) in enumerate(_KINDS.items()):
        params = replace(study.params, decoding=kind)
        made = study.go_on(clips, prompts, part_of(progress, at, len(_KINDS)), params=params)
        found[name] = np.stack([_psnr(study, frames, clip.frames) for frames, clip in zip(made, clips, strict=True)])
        seconds, forwards = _costs(study, params)
        figures += [
            mean_of(f"PSNR over the first second, {name}", found[name][:, :second].mean(axis=1).tolist(), unit="dB"),
            mean_of(f"time per frame, {name}", seconds, 1000.0, unit="ms", better="lower"),
            mean_of(f"forwards per latent frame, {name}", forwards, better="lower"),
        ]
        x = tuple((index + 1) / fps for index in range(study.held_out.made))
        y = tuple(found[name].mean(axis=0).tolist())
        curves.append(Curve("PSNR after the given frames, by decoding", name, x, y, "seconds", "dB"))
    by_token, *others = found
    for name in others:
        apart = (found[name] - found[by_token])[:, :second].mean(axis=1).tolist()
        figures.append(mean_of(f"PSNR over the first second: {name} above {by_token}, clip by clip", apart, unit="dB"))
    return Section(
        "decoding-videos", "Real video: token, row and frame decoding", _about(len(clips)), tuple(figures), tuple(curves)
    )


def _about(num_clips: int) -> str:
    return (
        f"The same {num_clips} beginnings and seeds, decoded in three ways: a token, a row of tokens or a whole frame at a time. "
        "Fewer forwards make a frame sooner, but tokens that are chosen together know less of each "
        "other. The nats of each way are in the section on prediction. Time is that of one stream alone on this machine, over "
        f"{_TIMED} latent frames, with whatever else ran beside it."
    )


def _psnr(study: Study, frames: Tensor, true: Tensor) -> np.ndarray:
    """PSNR of each frame that was made."""
    given = study.held_out.given
    return by_frame(to_video(frames[given:])[None], to_video(true[given:])[None])["PSNR"]


def _costs(study: Study, params: SamplingParams) -> tuple[list[float], list[float]]:
    """Seconds of each frame, and forwards of each latent frame, of one stream after its first two latent frames."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)
        stream = study.generator.stream(NO_CAPTION, params=params)
    seconds, forwards = [], []
    for _ in range(_TIMED + 2):
        started = time.perf_counter()
        step = stream.advance()
        step.frames.cpu()
        seconds.append((time.perf_counter() - started) / len(step.frames))
        forwards.append(float(step.forwards))
    return seconds[2:], forwards[2:]
