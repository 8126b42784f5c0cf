"""Generated clips against their captions."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ..data.sprites import DIGITS, LINEAR
from .adherence import ClipVerdict, ObjectVerdict
from .figures import Figure, Sample, Section, share_of, worst
from .second.agreement import second_opinions
from .study import Case, Progress, Study, part_of

_LONG_ENOUGH = 33  # frames, in which what falls lands, and what fades is gone


def condition_control(study: Study, progress: Progress) -> Section:
    """What of a caption is to be seen: Q2, on combinations that training knew and on those it never saw."""
    figures: list[Figure] = []
    samples: list[Sample] = []
    kinds = study.combinations
    for part, combinations in enumerate(kinds):
        cases = study.cases(study.world(study.num_frames, combinations), study.settings.clips)
        clips = study.generate([case.prompt for case in cases], study.num_frames, part_of(progress, part, len(kinds)))
        made, true = study.verdicts(cases, clips), study.verdicts(cases, [case.frames for case in cases])
        second, reference = (
            [study.second_reader.judge(clip, case.prompt) for case, clip in zip(cases, shown, strict=True)]
            for shown in (clips, [case.frames for case in cases])
        )
        figures += _adherence(combinations, made, true)
        figures += second_opinions(combinations, second, reference, [verdict.right for verdict in made])
        samples += [_sample(case, clip, verdict) for case, clip, verdict in zip(cases, clips, made, strict=True)]
    return Section(
        "control",
        "Condition control",
        f"{study.settings.clips} captions of the sprite world for each kind of combinations of shape, colour and motion: "
        f"{' and '.join(kinds)} ones; unseen are held-out ones, which {_held_out(study)}. {study.num_frames} frames each"
        + ("" if study.num_frames >= _LONG_ENOUGH else ", in which not every motion can be told: see the true clips")
        + ". An object counts only if it is seen for as long as it should be. Objects are read from the pixels; 'true clips' is "
        "what the same reading finds in rendered clips of the same captions. Where combinations are held out a second motion is "
        "always 'stops'. A second reader, which has no part of the first and works otherwise, judges the same clips. It is "
        "the one to read if the first one rewarded the model in training. Agreement is the share of the clips on which both say "
        "that all is right, or that something is wrong; kappa is 0 if they agree as by chance, and 1 if always (Cohen 1960).",
        tuple(figures),
        samples=worst(samples, 12),
    )


def _held_out(study: Study) -> str:
    kept = {"seen": "the video LM was not trained on", None: "it may have been trained on: the bundle does not say"}
    return kept.get(study.trained_on.get("combinations"), "it was trained on, too")


def _adherence(which: str, made: Sequence[ClipVerdict], true: Sequence[ClipVerdict]) -> list[Figure]:
    objects, real = ([(at, item) for at, v in enumerate(verdicts) for item in v.objects] for verdicts in (made, true))

    def share(name: str, value, keep=lambda item: True, target: str = "") -> Figure:
        reference = [value(item) for _, item in real if keep(item)]
        attributes = {"target": target, "reference": 100 * float(np.nanmean(reference)) if reference else None}
        kept = [(at, value(item)) for at, item in objects if keep(item)]
        return share_of(f"{name}, {which}", [hit for _, hit in kept], [at for at, _ in kept], **attributes)

    def is_digit(item: ObjectVerdict) -> bool:
        return item.told.shape in DIGITS

    def is_linear(item: ObjectVerdict) -> bool:
        return item.told.motion in LINEAR and item.told.then is None

    numbers, whole = (100 * float(np.mean(hits)) for hits in ([v.count for v in true], [v.right for v in true]))
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
        share_of(f"number of objects right, {which}", [v.count for v in made], target=">= 98 (Q2)", reference=numbers),
        share_of(f"everything right, {which}", [v.right for v in made], reference=whole),
    ]


def _sample(case: Case, clip: Tensor, verdict: ClipVerdict) -> Sample:
    wrong = verdict.note.count(",") + 1 if not verdict.right else 0
    return Sample(case.prompt, verdict.note, float(wrong), clip)
