"""The tokenizer alone: what of a clip is lost in tokens."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..data import VideoFolder, to_frames, to_video
from .adherence import same_look
from .figures import Sample, Section, mean_of, share_of, without_interval, worst
from .metrics import bits_per_pixel, ms_ssim, psnr, ssim, temporal_error
from .study import Progress, Study

_TOKENS_PER_CODE = 200
_MOST_CLIPS = 2000
"""Most tokens of a clip show its background: with 28 tokens for each of 1,000 codes, a quarter of those in use do not come up."""


def tokenizer_on_sprites(study: Study, progress: Progress) -> Section:
    """Reconstruction of clips of the sprite world, and whether a reader still sees the same in them."""
    world = study.world(study.num_frames, seed=4)
    cases = study.cases(world, study.settings.clips)
    others = (world[index].frames for index in range(len(cases), min(_MOST_CLIPS, len(world))))
    section, made = _reconstruction(study, [(case.prompt, case.frames) for case in cases], progress, others)
    targets = {"PSNR": ">= 30 (Q1)", "codes in use": ">= 90 (Q1)"}
    figures = [replace(figure, target=targets.get(figure.name, "")) for figure in section.figures]
    looks, kept, at = [], [], []
    for index, (case, clip) in enumerate(zip(cases, made, strict=True)):
        reading = study.reader.read(clip)
        for item in case.scene.objects:
            found = reading.find(item.colour)
            looks.append(found is not None and (found.look.shape, found.look.size) == (item.shape, item.size))
            kept.append(0.0 if found is None else same_look(found))
            at.append(index)
    figures.append(share_of("objects with their colour, shape and size after reconstruction", looks, at))
    figures.append(share_of("frames with the object's own look after reconstruction", kept, at))
    return replace(section, name="tokenizer-sprites", title="Tokenizer on sprites", figures=tuple(figures))


def tokenizer_on_videos(study: Study, progress: Progress) -> Section:
    """Reconstruction of a folder of real video, at the bundle's size and rate."""
    assert study.settings.real is not None
    bundle = study.bundle
    size, include = (bundle.height, bundle.width), study.settings.include
    folder = VideoFolder(study.settings.real, num_frames=17, size=size, fps=bundle.fps, include=include)
    if folder.skipped or folder.damaged:
        print(folder.summary(), file=sys.stderr)
    picked = np.linspace(0, len(folder) - 1, min(len(folder), study.settings.clips)).round().astype(int)
    clips = [(folder[index].name, folder[index].frames) for index in picked.tolist()]
    section, _ = _reconstruction(study, clips, progress)
    about = f"{section.about} Files left out: {len(folder.skipped)}; damaged part way: {len(folder.damaged)}."
    details: dict[str, object] = {"skipped": folder.skipped, "damaged": folder.damaged, "clips": [name for name, _ in clips]}
    return replace(section, name="tokenizer-videos", title="Tokenizer on real video", about=about, details=details)


def _reconstruction(
    study: Study, clips: Sequence[tuple[str, Tensor]], progress: Progress, others: Iterable[Tensor] = ()
) -> tuple[Section, list[Tensor]]:
    """A section without a name, and the reconstructed clips, uint8 `[T, H, W, 3]` each.

    Args:
        study: Whose tokenizer.
        clips: Names and frames.
        progress: Is told how far it is.
        others: Clips whose codes are counted too, as many as that takes.
    """
    tokenizer = study.bundle.tokenizer
    found: dict[str, list[float]] = {"psnr": [], "ssim": [], "ms_ssim": [], "temporal": []}
    counts = torch.zeros(tokenizer.codebook_size, dtype=torch.float64)
    samples: list[Sample] = []
    reconstructed: list[Tensor] = []
    for index, (name, frames) in enumerate(clips):
        video = to_video(frames)[None]
        with torch.inference_mode():
            tokens = tokenizer.encode(video)
            made = tokenizer.decode(tokens)
        counts += torch.bincount(tokens.flatten(), minlength=tokenizer.codebook_size)
        for key, metric in (("psnr", psnr), ("ssim", ssim), ("ms_ssim", ms_ssim), ("temporal", temporal_error)):
            found[key].append(float(metric(made, video)))
        reconstructed.append(to_frames(made)[0])
        both = torch.cat([frames, reconstructed[-1]], dim=2)
        samples.append(Sample(name, f"{found['psnr'][-1]:.1f} dB; true left, reconstructed right", -found["psnr"][-1], both))
        progress((index + 1) / len(clips))
    bits = bits_per_pixel(tokens.numel(), tokenizer.codebook_size, frames.shape[0] * frames.shape[1] * frames.shape[2])
    for other in others:
        if counts.sum() >= _TOKENS_PER_CODE * len(counts):
            break
        with torch.inference_mode():
            counts += torch.bincount(tokenizer.encode(to_video(other)[None]).flatten(), minlength=len(counts))
    total = int(counts.sum())
    shares = counts / total
    used = shares[shares > 0]
    figures = (
        mean_of("PSNR", found["psnr"], unit="dB"),
        mean_of("SSIM", found["ssim"]),
        mean_of("MS-SSIM", found["ms_ssim"]),
        mean_of("temporal error: error of frame differences", found["temporal"], unit="levels", better="lower"),
        without_interval("bits per pixel", bits, total, better="lower"),
        without_interval("codes in use", 100 * len(used) / len(counts), total, unit="%"),
        without_interval("perplexity of the codes", float(torch.exp(-(used * used.log()).sum())), total),
    )
    about = (
        f"{len(clips)} clips, compared as raw frames and never through a video codec. Codes are counted over "
        f"{total:,} tokens; where there are few of them per code, not every code has had its chance."
    )
    return Section("", "", about, figures, samples=worst(samples, 8)), reconstructed
