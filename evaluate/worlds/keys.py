"""Whether keys are obeyed: named from generated video, shown in time when pressed, and held while held."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...data.counted import counted
from ..figures import Curve, Figure, Sample, Section, mean_of
from ..real.panels import side_by_side
from ..study import Progress, Study, part_of, reconstruct
from .action_net import AROUND, ActionNet, train_action_net
from .chance import AT_CHANCE
from .choices import Choice, choices_of
from .naming import GENERATED, RECONSTRUCTED, TRUE, named, naming_figures, told_apart
from .recording import Recording, lessons
from .response import Response, chance_figure, response_curves, response_figures, responses
from .trying import Key, busiest_keys

_HELD = 2.0  # seconds
_MOST_SAMPLES = 6
_OTHER_SEED = 100_000


def world_keys(study: Study, progress: Progress) -> Section:
    """Inverse dynamics on true and generated video, and the same moments with a key and without it."""
    recording, settings = study.recording, study.settings
    choices, keys = choices_of(recording.space, recording.rows), busiest_keys(recording.space, recording.rows)
    if not choices or not keys:
        about = "The actions of the recording hardly ever change, so nothing can be said of keys."
        return Section("keys-world", "World: keys obeyed", f"{recording.about}\n{about}", ())
    further = lessons(study.bundle, settings)
    net = train_action_net([*recording.others, *further], choices, part_of(progress, 0, 3))
    made = study.dream(recording.starts, [start.played for start in recording.starts], part_of(progress, 1, 3))
    kinds = {
        GENERATED: made,
        RECONSTRUCTED: [reconstruct(study, start.clip.frames)[start.given :] for start in recording.starts],
        TRUE: [start.future for start in recording.starts],
    }
    starts = recording.few(max(4, settings.clips // 4))
    frames = min(recording.made, max(AROUND.span, round(_HELD * study.bundle.fps)))
    tried = starts[: max(3, settings.clips // 16)]
    judged = named(net, recording.starts, kinds, recording.groups)
    told = told_apart(net, judged)
    found = responses(study, keys, starts, tried, frames, part_of(progress, 2, 3))
    free = [keys[0].release(start.played[:frames]) for start in starts]
    without = [each.without for each in found if each.key == keys[0]]
    others = study.dream(starts, free, lambda share: None, _OTHER_SEED)
    stride = study.bundle.tokenizer.temporal_stride
    return Section(
        "keys-world",
        "World: keys obeyed",
        f"{recording.about}\n{_about(recording, net, keys, len(starts), frames, len(further))}",
        (
            *response_figures(found, stride),
            chance_figure(without, others, starts, stride),
            *_held_figures(net, told, found),
            *naming_figures(net, judged),
        ),
        (*response_curves(found), *_held_curves(net, told, found)),
        _samples(found),
    )


def _held_figures(net: ActionNet, told: Sequence[Choice], found: Sequence[Response]) -> list[Figure]:
    """How often a held key is named in the frames while it is held, and how often if it is not held."""
    rows = [_shares(net, told, each.key, each.with_key) for each in found]
    free = [_shares(net, told, each.key, each.without) for each in found]
    true = [_shares(net, told, each.key, each.true_with) for each in found if each.true_with is not None]
    kept = [value for value in map(_mean, true) if not np.isnan(value)]
    reference = 100 * float(np.mean(kept)) if kept else None
    lacking = "" if told else AT_CHANCE
    held, other = "frames in which a held key is named", "frames in which the same key is named while it is not held"
    given: dict[str, Any] = {"unit": "%", "lacking": lacking}
    return [
        mean_of(held, list(map(_mean, rows)), 100.0, reference=reference, headline=True, **given),
        mean_of(other, list(map(_mean, free)), 100.0, better="lower", **given),
    ]


def _held_curves(net: ActionNet, told: Sequence[Choice], found: Sequence[Response]) -> list[Curve]:
    kinds = {
        "held, dreamt": [_shares(net, told, each.key, each.with_key) for each in found],
        "not held, dreamt": [_shares(net, told, each.key, each.without) for each in found],
        "held, in the true environment": [
            _shares(net, told, each.key, each.true_with) for each in found if each.true_with is not None
        ],
    }
    curves = []
    for name, rows in kinds.items():
        there = [row for row in rows if row is not None]
        if there:
            y = tuple(np.mean(there, axis=0).tolist())
            x = tuple(float(index + AROUND.at + 1) for index in range(len(y)))
            curves.append(
                Curve("A held key, named by frame", name, x, y, "frames since it was pressed", "share named as pressed")
            )
    return curves


def _shares(net: ActionNet, told: Sequence[Choice], key: Key, frames: Tensor | None) -> np.ndarray | None:
    """Whether the key is named as pressed, frame by frame; None if the network cannot tell it, or there is no video."""
    at = next((at for at, choice in enumerate(net.choices) if choice in told and key.column in choice.columns), None)
    if at is None or frames is None:
        return None
    pressed = key.press(np.zeros((1, 1 + max(max(choice.columns) for choice in net.choices)), np.float32))
    return (net.name(frames)[at] == net.choices[at].classes(pressed)[0]).astype(np.float64)


def _mean(row: np.ndarray | None) -> float:
    return float(row.mean()) if row is not None and len(row) else float("nan")


def _samples(found: Sequence[Response]) -> tuple[Sample, ...]:
    samples = []
    for each in {each.key: each for each in reversed(found)}.values():  # the first start of each key
        given, clips, made = each.start.frames, [each.with_key, each.without], [True, True]
        if each.true_with is not None:
            clips, made = [each.true_with, *clips], [False, *made]
        shown = side_by_side([torch.cat([given, clip]) for clip in clips], len(given), made)
        note = "true with the key | " if each.true_with is not None else ""
        distance = float(each.distance.mean())
        samples.append(
            Sample(
                f"{each.key.name}, held", f"{note}dreamt with it | dreamt without; {distance:.0f} levels apart", -distance, shown
            )
        )
    return tuple(samples[:_MOST_SAMPLES])


def _about(recording: Recording, net: ActionNet, keys: Sequence[Key], starts: int, frames: int, further: int) -> str:
    chosen = ", ".join(choice.name for choice in net.choices)
    truth = (
        "The same is done in the true environment, and keys that do nothing there do not count."
        if recording.truth
        else "Without the true environment, a key that truly does nothing at some moment counts as not shown."
    )
    lessons = counted(len(recording.others), "clip") + (
        f" and {counted(further, 'clip')} of another recording" if further else ""
    )
    return (
        f"Keys are pressed at {counted(starts, 'moment')}: {', '.join(key.name for key in keys)}. Each is held for "
        f"{counted(frames, 'frame')}, and left alone in a second stream of the same seed; all other actions are those of the "
        "recording. So whatever differs is the doing of the key. A key shows once a block of 8 x 8 pixels differs by "
        f"5 levels. {truth} So much can differ by the noise alone, too, which is why that stands beside it. The first "
        "figure says that a key is answered; what is named of held keys says whether rightly.\n"
        f"A judge, a small network, learned from other true videos ({lessons}) to name what is done from six frames: {chosen}. "
        "An axis counts as low, middle or high. The judge is asked the same of generated video. Balanced accuracy counts each "
        "class alike. A judge who does not look gets 1 / classes of it, which is chance. So the first figure is (accuracy on "
        "generated video - chance) / (accuracy on true video - chance). If the judge is not clearly above chance on true "
        "video, nothing is said of generated video. A further recording makes a better judge (`--judge`)."
    )
