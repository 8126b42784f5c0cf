"""Generated clips in the dimensions that are easily confused: single frames, consistency over time, motion."""

from dataclasses import replace

import numpy as np
from torch import Tensor

from ..data import to_video
from ..data.sprites import BOUNCES, LINEAR, PASSES, STOPS
from .figures import Figure, Section, mean_of, median_of, share_of
from .flow import warp_error
from .metrics import flicker, sharpness
from .study import Case, Progress, Study, reconstruct


def quality(study: Study, progress: Progress) -> Section:
    """Single frames, temporal consistency and motion, each against true clips and against their reconstructions."""
    cases = study.cases(study.world(study.num_frames, seed=1), study.settings.clips)
    made = study.generate([case.prompt for case in cases], study.num_frames, lambda x: progress(0.7 * x))
    kinds = {"generated": made, "reconstructed": [reconstruct(study, case.frames) for case in cases]}
    true = [case.frames for case in cases]
    figures = []
    for at, (kind, clips) in enumerate(kinds.items()):
        progress(0.7 + 0.15 * at)
        figures += _quality(kind, [_measure(study, case, clip) for case, clip in zip(cases, clips, strict=True)])
    truth = {
        figure.name: figure.value for figure in _quality("", [_measure(study, c, f) for c, f in zip(cases, true, strict=True)])
    }
    figures = [_with_reference(figure, truth) for figure in figures]
    return Section(
        "quality",
        "Frames, time and motion",
        "Single-frame quality, temporal consistency and motion plausibility of the same captions, apart: a sharp clip may "
        "flicker, and a steady one may stand still. 'Reconstructed' clips are true ones through the tokenizer: what the "
        "video LM cannot be blamed for.",
        tuple(figures),
    )


def _measure(study: Study, case: Case, clip: Tensor) -> dict[str, float]:
    verdict = study.verdict(case, clip)
    video = to_video(clip)[None]

    def mean(values: list[float]) -> float:
        kept = [value for value in values if not np.isnan(value)]
        return float(np.mean(kept)) if kept else float("nan")

    moving = [item for item in verdict.objects if item.told.motion in (*LINEAR, BOUNCES, PASSES) and item.told.then != STOPS]
    return {
        "sharpness": float(sharpness(video)),
        "misfit": mean([item.misfit for item in verdict.objects]),
        "same_look": mean([item.same_look for item in verdict.objects]),
        "flicker": float(flicker(video)),
        "warp": warp_error(clip),
        "jerk": mean([item.jerk for item in verdict.objects]),
        "frozen": mean([item.frozen for item in moving]),
    }


def _quality(kind: str, found: list[dict[str, float]]) -> list[Figure]:
    def column(name: str) -> list[float]:
        return [row[name] for row in found]

    end = f", {kind}" if kind else ""
    return [
        mean_of(f"single frame: sharpness{end}", column("sharpness"), unit="levels/px", better=""),
        mean_of(f"single frame: misfit of shapes{end}", column("misfit"), scale=100, unit="%", better="lower"),
        share_of(f"consistency: frames with the object's own look{end}", column("same_look")),
        mean_of(f"consistency: flicker{end}", column("flicker"), unit="levels", better="lower"),
        mean_of(f"consistency: flow-warped error{end}", column("warp"), unit="levels", better="lower"),
        median_of(f"motion: jerk{end}", column("jerk"), unit="px/frame^3", better="lower"),
        share_of(f"motion: frozen steps of what should move{end}", column("frozen"), better="lower"),
    ]


def _with_reference(figure: Figure, truth: dict[str, float]) -> Figure:
    return replace(figure, reference=truth[figure.name.rsplit(", ", 1)[0]])
