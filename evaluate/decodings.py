"""Decodings side by side: what token, row and frame decoding make of the same captions."""

from dataclasses import replace

import numpy as np

from ..sample import SamplingParams
from .figures import Section, mean_of, share_of
from .study import Progress, Study, part_of


def decoding_compared(study: Study, progress: Progress) -> Section:
    """Token, row and frame decoding at equal seeds: Q6, for what Q2 asks."""
    kinds = ("jacobi", "row", "frame")
    cases = study.cases(study.world(study.num_frames, seed=8), study.settings.clips)
    found: dict[str, dict[str, list[float]]] = {}
    forwards = {}
    for at, kind in enumerate(kinds):
        params = replace(study.params, decoding=kind)
        clips = study.generate([c.prompt for c in cases], study.num_frames, part_of(progress, at, len(kinds)), params)
        verdicts = study.verdicts(cases, clips)
        found[kind] = {
            "colour, shape and size right": [float(np.mean([item.right for item in v.objects])) for v in verdicts],
            "motion right": [float(np.mean([item.motion for item in v.objects])) for v in verdicts],
            "number of objects right": [float(v.count) for v in verdicts],
            "frames with the object's own look": [float(np.mean([item.same_look for item in v.objects])) for v in verdicts],
        }
        forwards[kind] = _forwards(study, cases[0].prompt, params)
    figures = []
    for kind in kinds:
        name = "token (jacobi)" if kind == "jacobi" else kind
        figures += [share_of(f"{what}, {name}", values) for what, values in found[kind].items()]
        figures.append(mean_of(f"forwards per latent frame, {name}", forwards[kind], better="lower"))
    for kind in kinds[1:]:
        for what, values in found[kind].items():
            apart = list(np.subtract(values, found["jacobi"][what]))
            figures.append(mean_of(f"{what}: {kind} above token, clip by clip", apart, 100.0, unit="%", target=">= -1 (Q6)"))
    return Section(
        "decoding",
        "Token, row and frame decoding",
        f"The same {len(cases)} captions and seeds, decoded in three ways. Figures are means over clips, and their "
        "differences are taken clip by clip. Forwards are counted in one stream alone, over eight latent frames after the "
        "first. Persistence and physics are not compared here; `--decoding` measures them under another one.",
        tuple(figures),
    )


def _forwards(study: Study, prompt: str, params: SamplingParams) -> list[float]:
    stream = study.generator.stream(prompt, params=params)
    return [float(stream.advance().forwards) for _ in range(9)][1:]
