"""A prompt changes while the stream runs, and is obeyed."""

import numpy as np
from torch import Tensor

from ..data.sprites import LINEAR
from .figures import Sample, Section, share_of, worst
from .motion import Track, heads
from .study import Progress, Study

_BEFORE, _AFTER = 17, 8  # frames of a stream before its prompt changes, and frames that are judged after it


def steering(study: Study, progress: Progress) -> Section:
    """A prompt that changes while the stream runs: Q5."""
    world, rng = study.world(9, seed=3, two_objects=0.0), np.random.default_rng(study.settings.seed)
    prompts, seconds = [], _BEFORE / study.bundle.fps
    motions = [motion for motion in LINEAR if motion in world.motions]
    for index in range(study.settings.clips):
        item = world.scene(index).objects[0]
        first, second = rng.choice(len(motions), 2, replace=False)
        looks = f"a {item.size} {item.colour} {item.shape}"
        later = "stops" if rng.random() < 0.2 else motions[second]
        prompts.append((looks, motions[first], later))
    timelines = [[(0.0, f"{looks} {first}"), (seconds, f"{looks} {later}")] for looks, first, later in prompts]
    clips = study.generate(timelines, _changes_from(study) + _AFTER, progress)
    outcomes = [_obeys(study, clip, *prompt) for prompt, clip in zip(prompts, clips, strict=True)]
    samples = [
        Sample(f"{looks} {first}; then {later}", " and ".join(words), float(2 - sum(good)), clip)
        for (looks, first, later), good, clip in zip(prompts, outcomes, clips, strict=True)
        for words in [("first obeyed" if good[0] else "first not obeyed", "then obeyed" if good[1] else "then not obeyed")]
    ]
    return Section(
        "steering",
        "A prompt that changes",
        f"{len(prompts)} streams of one object; after {_BEFORE} frames another direction is asked for, or that it stops. "
        "Obeyed means: before the change it went the first way, and from two latent frames after it the second one.",
        (
            share_of("obeyed within two latent frames", [all(good) for good in outcomes], target=">= 95 (Q5)"),
            share_of("went the first way", [first for first, _ in outcomes]),
            share_of("goes the second way", [second for _, second in outcomes]),
        ),
        samples=worst(samples, 6),
    )


def _obeys(study: Study, clip: Tensor, looks: str, first: str, later: str) -> tuple[bool, bool]:
    """Whether the object goes the first way before the change, and the second way after it."""
    reading = study.reader.read(clip)
    found = reading.find(looks.split()[2])
    if found is None:
        return False, False
    track, speeds = Track.of(found.positions, reading.height, reading.width), study.world().speeds
    before, after = track.part(0, _BEFORE), track.part(_changes_from(study), len(clip))
    return heads(before, first, speeds), len(after.steps) >= 4 and heads(after, later, speeds)


def _changes_from(study: Study) -> int:
    """The frame from which a changed prompt has to be obeyed: two latent frames after the change."""
    return _BEFORE + 2 * study.bundle.tokenizer.temporal_stride
