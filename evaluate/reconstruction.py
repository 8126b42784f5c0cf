"""The tokenizer alone: what of a clip is lost in tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import torch
from torch import Tensor

from ..data import to_frames, to_video
from .adherence import same_look
from .figures import Figure, Sample, Section, mean_of, share_of, without_interval, worst
from .metrics import bits_per_pixel, ms_ssim, psnr, ssim, temporal_error
from .real.held_out import short_clips
from .real.references import mean_colour, one_colour_per_place, repeated
from .steadiness import steady_share
from .study import Progress, Study

_TOKENS_PER_CODE = 200
_SOURCES = 12  # that are shown
_NOISE = 2.0  # of a camera
_MOST_CLIPS = 2000
"""Most tokens of a clip show its background: with 28 tokens for each of 1,000 codes, a quarter of those in use do not come up."""


def tokenizer_on_sprites(study: Study, progress: Progress) -> Section:
    """Reconstruction of clips of the sprite world, and whether a reader still sees the same in them."""
    world = study.world(study.num_frames, seed=4)
    cases = study.cases(world, study.settings.clips)
    others = (world[index].frames for index in range(len(cases), min(_MOST_CLIPS, len(world))))
    section, made, _ = _reconstruction(study, [(case.prompt, case.frames) for case in cases], progress, others)
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
    """Reconstruction of a folder of real video, at the bundle's size and rate, beside what costs nothing."""
    held_out = short_clips(study.bundle, study.settings)
    clips = [(clip.name, clip.frames) for clip in held_out.clips]
    section, _, found = _reconstruction(study, clips, progress)
    figures = (
        replace(section.figures[0], name="PSNR of the reconstruction", headline=True),
        *_trivial(study, [frames for _, frames in clips]),
        *section.figures[1:],
        _steady(study, [frames for _, frames in clips]),
        *_by_source([name for name, _ in clips], found),
    )
    about = (
        f"{held_out.about}\nEach clip goes through the tokenizer and back, which is the best that a video LM on these tokens can "
        f"reach. PSNR is how near the pixels are: 20 dB is a rough likeness, 30 is good, 35 is hard to tell from the true clip. "
        f"Beside PSNR stand three pictures that cost next to nothing; a tokenizer is worth its tokens if it is far above them. "
        f"Flicker shows in the temporal error.\n{section.about}"
    )
    details: dict[str, object] = {"skipped": held_out.skipped, "damaged": held_out.damaged, "clips": [name for name, _ in clips]}
    return replace(
        section, name="tokenizer-videos", title="Real video: reconstruction", about=about, figures=figures, details=details
    )


def _steady(study: Study, clips: Sequence[Tensor]) -> Figure:
    """How many tokens repeat if the first frame of each clip stands still before a camera with noise."""
    pictures = torch.cat([to_video(frames[:1])[None, :, 0] for frames in clips])
    repeating = steady_share(study.bundle.tokenizer, pictures, _NOISE)
    return share_of(f"tokens that repeat in a still scene with noise of {_NOISE:g} levels", repeating.tolist())


def _by_source(names: Sequence[str], found: Sequence[float]) -> list[Figure]:
    """PSNR of the sources that come out worst, the worst first: of sub-folders, or of files if all lie in one folder."""
    files = [name.rpartition("@")[0] for name in names]
    folders = [str(PurePosixPath(file).parent) for file in files]
    values: dict[str, list[float]] = {}
    for source, value in zip(folders if len(set(folders)) > 1 else files, found, strict=True):
        values.setdefault(source, []).append(value)
    figures = [
        mean_of(f"PSNR of {source}", own, unit="dB", grid=("PSNR by source, the worst first", source, "dB"))
        for source, own in values.items()
    ]
    return sorted(figures, key=lambda figure: figure.value)[:_SOURCES] if len(values) > 1 else []


def _trivial(study: Study, clips: Sequence[Tensor]) -> list[Figure]:
    """PSNR of what costs next to nothing."""
    stride = study.bundle.tokenizer.spatial_stride
    found: dict[str, list[float]] = {"first frame": [], "places": [], "colour": []}
    for frames in clips:
        video = to_video(frames)[None]
        found["first frame"].append(float(psnr(repeated(video, 0, len(frames)), video)))
        found["places"].append(float(psnr(one_colour_per_place(video, stride), video)))
        found["colour"].append(float(psnr(mean_colour(video), video)))
    names = {
        "first frame": "PSNR of the first frame repeated",
        "places": f"PSNR of one colour for each {stride}x{stride} pixels, smoothed",
        "colour": "PSNR of the mean colour of each frame",
    }
    return [mean_of(names[name], values, unit="dB", better="") for name, values in found.items()]


def _reconstruction(
    study: Study, clips: Sequence[tuple[str, Tensor]], progress: Progress, others: Iterable[Tensor] = ()
) -> tuple[Section, list[Tensor], list[float]]:
    """A section without a name, the reconstructed clips, uint8 `[T, H, W, 3]` each, and the PSNR of each.

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
    return Section("", "", about, figures, samples=worst(samples, 8)), reconstructed, found["psnr"]
