"""What happens within a clip: an object goes behind a bar and comes out, a prompt changes and is obeyed."""

import numpy as np

from ..data import SpriteWorld
from ..data.motions import LINEAR, PASSES
from .figures import Sample, Section, share_of
from .motion import Track, heads
from .reading import Reading, ReadObject
from .study import Case, Progress, Study

_FRAMES = 49
_BEFORE, _AFTER = 17, 16  # frames of a stream before and after its prompt changes


def persistence(study: Study, progress: Progress) -> Section:
    """Objects that pass behind the bar: the first half of Q3."""
    cases = _passing_cases(study, study.world(_FRAMES, seed=2))
    prompts = [case.prompt for case in cases]
    clips = study.generate(prompts, _FRAMES, progress)
    outcomes = [passing(study.reader.read(clip)) for clip in clips]
    true = [passing(study.reader.read(case.frames)) for case in cases]
    kept = [kind for kind in outcomes if kind != "nothing passes"]
    figures = (
        share_of(
            "comes out with its shape and colour, of those that go behind",
            [kind == "same" for kind in kept],
            target=">= 95 (Q3)",
            reference=100 * float(np.mean([kind == "same" for kind in true if kind != "nothing passes"])),
        ),
        share_of("goes behind the bar at all", [kind != "nothing passes" for kind in outcomes]),
    )
    samples = [Sample(p, kind, float(kind != "same"), clip) for p, kind, clip in zip(prompts, outcomes, clips, strict=True)]
    return Section(
        "persistence",
        "Persistence behind an occluder",
        f"{len(cases)} captions of one object that passes behind a bar, {_FRAMES} frames. Its look is read before the bar "
        "hides at least "
        "half of it and after it has come out.",
        figures,
        samples=tuple(sorted(samples, key=lambda sample: -sample.badness)[:6]),
    )


def _passing_cases(study: Study, world: SpriteWorld) -> list[Case]:
    """Scenes of one object that passes behind a bar, in steady light."""
    cases: list[Case] = []
    index = 0
    while len(cases) < study.settings.clips:
        scene = world.scene(index)
        if len(scene.objects) == 1 and scene.objects[0].motion == PASSES and (scene.light == 1).all():
            clip = world[index]
            cases.append(Case(clip.captions[0].text, study.settings.seed + index, scene, clip.frames))
        index += 1
    return cases


def passing(reading: Reading) -> str:
    """What becomes of the object that goes behind the bar: "same", "changed", "lost", or "nothing passes"."""
    going = [(item, hidden) for item in reading.objects if (hidden := _hidden(item, reading)) is not None]
    if not going:
        return "nothing passes"
    item, (first, end) = max(going, key=lambda pair: pair[0].visible.sum())
    before, after = _look(item, 0, first), _look(item, end, len(item.seen))
    if after is None:
        others = [_look(other, end, len(other.seen)) for other in reading.objects if other is not item]
        return "changed" if any(others) else "lost"
    return "same" if before == after else "changed"


def _hidden(item: ReadObject, reading: Reading) -> tuple[int, int] | None:
    """From when to when an object that was seen whole is mostly hidden, beside or behind a bar; to the end if for good."""
    whole = np.flatnonzero([look is not None for look in item.looks])
    if not len(whole):
        return None
    covered = (item.seen < 0.5) & np.array([bar is not None for bar in reading.bars])
    gone = np.flatnonzero(covered & (np.arange(len(covered)) > whole[0]))
    if len(gone) < 2:
        return None
    back = np.flatnonzero(~covered & (np.arange(len(covered)) > gone[0]))
    return int(gone[0]), int(back[0]) if len(back) else len(covered)


def _look(item: ReadObject, first: int, end: int) -> object:
    """The look that an object has most of the time between two frames; None where it cannot be judged."""
    looks = [look for look in item.looks[first:end] if look is not None]
    return max(set(looks), key=looks.count) if looks else None


def steering(study: Study, progress: Progress) -> Section:
    """A prompt that changes while the stream runs: Q5."""
    world, rng = study.world(9, seed=3), np.random.default_rng(study.settings.seed)
    prompts, seconds = [], _BEFORE / study.bundle.fps
    motions = [motion for motion in LINEAR if motion in world.motions]
    for index in range(study.settings.clips):
        item = world.scene(index).objects[0]
        first, second = rng.choice(len(motions), 2, replace=False)
        looks = f"a {item.size} {item.colour} {item.shape}"
        later = "stops" if rng.random() < 0.2 else motions[second]
        prompts.append((looks, motions[first], later))
    timelines = [[(0.0, f"{looks} {first}"), (seconds, f"{looks} {later}")] for looks, first, later in prompts]
    clips = study.generate(timelines, _BEFORE + _AFTER, progress)
    outcomes = [_obeys(study.reader.read(clip), *prompt) for prompt, clip in zip(prompts, clips, strict=True)]
    samples = [
        Sample(f"{looks} {first}; then {later}", "obeyed" if good else "not obeyed", float(not good), clip)
        for (looks, first, later), good, clip in zip(prompts, outcomes, clips, strict=True)
    ]
    return Section(
        "steering",
        "A prompt that changes",
        f"{len(prompts)} streams of one object; after {_BEFORE} frames another direction is asked for, or that it stops. "
        "Obeyed means: two latent "
        "frames later it goes that way, measured over the frames after that.",
        (share_of("obeyed within two latent frames", outcomes, target=">= 95 (Q5)"),),
        samples=tuple(sorted(samples, key=lambda sample: -sample.badness)[:6]),
    )


def _obeys(reading: Reading, looks: str, first: str, later: str) -> bool:
    found = reading.find(looks.split()[2])
    if found is None:
        return False
    track = Track.of(found.positions, reading.height, reading.width)
    return heads(track.part(_BEFORE + 8, _BEFORE + _AFTER), later)
