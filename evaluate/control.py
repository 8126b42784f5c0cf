"""Generated clips against their captions, in the dimensions that are easily confused: frames, time, motion, condition."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..data import to_video
from ..data.motions import BOUNCES, LINEAR, PASSES, STOPS
from ..data.shapes import DIGITS
from ..sample import SamplingParams
from .adherence import ClipVerdict, ObjectVerdict
from .figures import Figure, Sample, Section, mean_of, median_of, share_of
from .flow import warp_error
from .metrics import flicker, sharpness
from .study import Case, Progress, Study, part_of, reconstruct


def condition_control(study: Study, progress: Progress) -> Section:
    """What of a caption is to be seen: Q2, on combinations that training knew and on those it never saw."""
    figures: list[Figure] = []
    samples: list[Sample] = []
    for part, combinations in enumerate(("seen", "unseen")):
        cases = study.cases(study.world(study.num_frames, combinations), study.settings.clips)
        clips = study.generate([case.prompt for case in cases], study.num_frames, part_of(progress, part, 2))
        made = [verdict_of(study, case, clip) for case, clip in zip(cases, clips, strict=True)]
        true = [verdict_of(study, case, case.frames) for case in cases]
        figures += _adherence(combinations, made, true)
        samples += [_sample(case, clip, verdict) for case, clip, verdict in zip(cases, clips, made, strict=True)]
    return Section(
        "control",
        "Condition control",
        f"{study.settings.clips} captions of the sprite world with combinations of shape, colour and motion that belong to "
        f"the seen ones, as many with held-out ones, which {_held_out(study)}; {study.num_frames} frames each. An object "
        "counts only if it is seen for as long as it should be. Objects are read from the pixels; 'true clips' is what the "
        "same reading finds in rendered clips of the same captions. Where combinations are held out a second motion is "
        "always 'stops'.",
        tuple(figures),
        samples=tuple(sorted(samples, key=lambda sample: -sample.badness)[:12]),
    )


def _held_out(study: Study) -> str:
    kept = {"seen": "the video LM was not trained on", None: "it may have been trained on: the bundle does not say"}
    return kept.get(study.trained_on.get("combinations"), "it was trained on, too")


def verdict_of(study: Study, case: Case, clip: Tensor) -> ClipVerdict:
    """Reads a clip and compares it with its caption."""
    return study.judge.judge(study.reader.read(clip), case.prompt)


def _adherence(which: str, made: Sequence[ClipVerdict], true: Sequence[ClipVerdict]) -> list[Figure]:
    objects, real = ([item for verdict in verdicts for item in verdict.objects] for verdicts in (made, true))

    def share(name: str, value, keep=lambda item: True, target: str = "") -> Figure:
        reference = [value(item) for item in real if keep(item)]
        attributes = {"target": target, "reference": 100 * float(np.nanmean(reference)) if reference else None}
        return share_of(f"{name}, {which}", [value(item) for item in objects if keep(item)], **attributes)

    def is_digit(item: ObjectVerdict) -> bool:
        return item.told.shape in DIGITS

    def is_linear(item: ObjectVerdict) -> bool:
        return item.told.motion in LINEAR and item.told.then is None

    clips = {"reference": 100 * float(np.mean([v.count for v in true])), "target": ">= 98 (Q2)"}
    whole = {"reference": 100 * float(np.mean([v.right for v in true]))}
    return [
        share("colour right", lambda item: item.colour, target=">= 98 (Q2)"),
        share("shape right", lambda item: item.shape, target=">= 98 (Q2)"),
        share("shape right, plain shapes", lambda item: item.shape, lambda item: not is_digit(item)),
        share(
            "shape right, large digits and unnamed sizes",
            lambda item: item.shape,
            lambda i: is_digit(i) and i.told.size != "small",
        ),
        share("shape right, small digits", lambda item: item.shape, lambda i: is_digit(i) and i.told.size == "small"),
        share("size right", lambda item: item.size, target=">= 98 (Q2)"),
        share("direction right", lambda item: item.motion, is_linear, ">= 98 (Q2)"),
        share("first and second motion right", lambda item: item.motion, lambda item: item.told.then is not None),
        share("motion right, all motions", lambda item: item.motion),
        share_of(f"number of objects right, {which}", [v.count for v in made], **clips),
        share_of(f"everything right, {which}", [v.right for v in made], **whole),
    ]


def _sample(case: Case, clip: Tensor, verdict: ClipVerdict) -> Sample:
    wrong = verdict.note.count(",") + 1 if not verdict.right else 0
    return Sample(case.prompt, verdict.note, float(wrong), clip)


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
    verdict = verdict_of(study, case, clip)
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


def decoding_compared(study: Study, progress: Progress) -> Section:
    """Token, row and frame decoding at equal seeds: Q6, for what Q2 asks."""
    kinds = ("jacobi", "row", "frame")
    cases = study.cases(study.world(study.num_frames, seed=8), study.settings.clips)
    found: dict[str, dict[str, list[float]]] = {}
    forwards = {}
    for at, kind in enumerate(kinds):
        params = replace(study.settings.params, decoding=kind)
        clips = study.generate([c.prompt for c in cases], study.num_frames, part_of(progress, at, len(kinds)), params)
        verdicts = [verdict_of(study, case, clip) for case, clip in zip(cases, clips, strict=True)]
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
            figures.append(share_of(f"{what}: {kind} above token, clip by clip", apart, target=">= -1 (Q6)"))
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
