"""Physics: where objects go after a true beginning, against where they truly went."""

import numpy as np

from ..data.sprites import BOUNCES, FALLS, LINEAR, Scene
from .figures import Curve, Sample, Section, mean_of, middle_of_all, share_of, worst
from .motion import shortest
from .reading import Reading
from .study import Case, Progress, Study, part_of

_GIVEN, _MADE = 9, 32
_KINDS = {"free motion": tuple(LINEAR), "bounces": (BOUNCES,), "falls": (FALLS,)}


def physics(study: Study, progress: Progress) -> Section:
    """Clips that go on from nine true frames: Q4."""
    figures, curves, samples = [], [], []
    known = set(study.world().motions)
    lost = np.hypot(study.bundle.height / 2, study.bundle.width / 2)  # the farthest two places can be apart
    kinds = {kind: known & set(motions) for kind, motions in _KINDS.items() if known & set(motions)}
    for at, (kind, motions) in enumerate(kinds.items()):
        cases = _cases(study, motions, at)
        clips = study.generate(
            [case.prompt for case in cases],
            _GIVEN + _MADE,
            part_of(progress, at, len(kinds)),
            first_frames=[case.frames[:_GIVEN] for case in cases],
        )
        true = np.stack([errors(study.reader.read(case.frames), case) for case in cases])
        found = np.stack([errors(study.reader.read(clip), case) for case, clip in zip(cases, clips, strict=True)])
        made = np.where(np.isnan(found) & ~np.isnan(true), lost, found)
        target = "<= 1 (Q4)" if kind != "falls" else ""
        reference = float(np.nanmedian(true))
        each = [float(np.nanmedian(row)) if not np.isnan(row).all() else lost for row in made]
        figures.append(
            middle_of_all(f"position error, {kind}", made, unit="px", better="lower", target=target, reference=reference)
        )
        figures.append(
            mean_of(
                f"position error of the last latent frame, {kind}",
                _middle(made[:, -study.bundle.tokenizer.temporal_stride :]),
                unit="px",
                better="lower",
            )
        )
        figures.append(share_of(f"frames in which the object is found, {kind}", (~np.isnan(found)).mean(axis=1)))
        x = tuple(float(frame) for frame in range(_GIVEN, _GIVEN + _MADE))
        curves.append(Curve("Position error after a true beginning", kind, x, tuple(_middle(made.T)), "frame", "px, median"))
        samples += [
            Sample(case.prompt, f"{error:.1f} px off in the middle", error, clip)
            for case, clip, error in zip(cases, clips, each, strict=True)
        ]
    return Section(
        "physics",
        "Physics",
        f"Clips of one object go on from {_GIVEN} true frames for {_MADE} frames. Its position, read from the pixels where "
        "its whole shape can be seen, against the true trajectory; distances across the borders count the short way, and an "
        f"object that is not there is {lost:.0f} pixels off. The median is over all frames of all clips.",
        tuple(figures),
        tuple(curves),
        worst(samples, 6),
    )


def _cases(study: Study, motions: set[str], at: int) -> list[Case]:
    """Scenes of one object with one of the motions and nothing else that changes."""

    def plain(scene: Scene) -> bool:
        item = scene.objects[0]
        steady = not scene.camera.any() and (scene.light == 1).all()
        return item.then is None and item.motion in motions and bool(steady)

    world = study.world(_GIVEN + _MADE, seed=10 + at, two_objects=0.0)
    return study.cases(world, max(1, study.settings.clips // 2), plain)


def errors(reading: Reading, case: Case) -> np.ndarray:
    """Pixels between the true place and the read one in each frame after the given ones; NaN if it is not seen whole."""
    found = reading.find(case.scene.objects[0].colour)
    if found is None:
        return np.full(_MADE, np.nan)
    apart = shortest(found.positions - case.scene.positions[0], reading.height, reading.width)
    clear = np.array([look is not None for look in found.looks])
    return np.where(clear, np.hypot(*apart.T), np.nan)[_GIVEN:]


def _middle(rows: np.ndarray) -> list[float]:
    """The median of each row, without what is NaN."""
    return [float(np.median(row[~np.isnan(row)])) if (~np.isnan(row)).any() else float("nan") for row in rows]
