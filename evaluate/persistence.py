"""An object goes behind a bar and comes out as it was."""

from itertools import pairwise

import numpy as np
from torch import Tensor

from ..data import SpriteWorld
from ..data.sprites import PASSES, parse_caption
from .figures import Sample, Section, share_of, worst
from .motion import shortest
from .reading import SceneReader
from .study import Progress, Study

_FRAMES = 49
_AFTERWARDS, _PIECE = 10, 4
_BESIDE = 4  # pixels by which an object may be farther from the bar than one that touches it
_GAP_AND_BAR = 20  # pixels at most from an object that sets off to the far side of its bar, with a little to spare
SAME, CHANGED, LOST, ELSEWHERE, NOT_HIDDEN = "the same", "another one", "not there", "elsewhere", "not hidden"
"""What can become of an object that is to pass behind a bar."""


def persistence(study: Study, progress: Progress) -> Section:
    """Objects that pass behind the bar: the first half of Q3."""
    world = study.world(_FRAMES, seed=2, two_objects=0.0)
    cases = study.cases(world, study.settings.clips, lambda s: s.objects[0].motion == PASSES and bool((s.light == 1).all()))
    clips = study.generate([case.prompt for case in cases], _FRAMES, progress)
    outcomes = [passing(study.reader, case.prompt, clip) for case, clip in zip(cases, clips, strict=True)]
    true = [passing(study.reader, case.prompt, case.frames) for case in cases]
    figures = (
        share_of(
            "goes behind the bar and comes out with its shape and colour",
            [outcome == SAME for outcome in outcomes],
            target=">= 95 (Q3)",
            reference=_share(true, SAME),
        ),
        share_of(
            "does not go behind a bar", [o == NOT_HIDDEN for o in outcomes], better="lower", reference=_share(true, NOT_HIDDEN)
        ),
        share_of("is not there after it", [o == LOST for o in outcomes], better="lower", reference=_share(true, LOST)),
        share_of("is another one after it", [o == CHANGED for o in outcomes], better="lower", reference=_share(true, CHANGED)),
        share_of(
            "does not come out on the other side",
            [o == ELSEWHERE for o in outcomes],
            better="lower",
            reference=_share(true, ELSEWHERE),
        ),
    )
    samples = [Sample(case.prompt, o, float(o != SAME), clip) for case, o, clip in zip(cases, outcomes, clips, strict=True)]
    return Section(
        "persistence",
        "Persistence behind an occluder",
        f"{len(cases)} captions of one object that passes behind a bar, {_FRAMES} frames. Every clip counts: there has to be "
        "a bar, at least half of the object has to be hidden for a while that begins beside the bar, the last "
        f"{_AFTERWARDS} frames, read apart from all others, must show it as asked for, alone, and it must have come out "
        "beside the bar on its other side.",
        figures,
        samples=worst(samples, 6),
    )


def passes_once(world: SpriteWorld) -> bool:
    """Whether an object that sets off towards the bar is out on its other side in a clip of that section, and not back again."""
    distances = [speed * (_FRAMES - 1) for speed in world.speeds]
    through = 2 * world.radii[1] + _GAP_AND_BAR
    return min(distances) >= through and max(distances) <= world.width


def _share(outcomes: list[str], which: str) -> float:
    return 100 * float(np.mean([outcome == which for outcome in outcomes]))


def passing(reader: SceneReader, prompt: str, clip: Tensor) -> str:
    """What becomes of the one object of a prompt: `SAME`, `CHANGED`, `LOST`, `ELSEWHERE` or `NOT_HIDDEN`."""
    told, after = parse_caption(prompt)[0], reader.read(clip[-_AFTERWARDS:])
    gone = _behind(reader, told.colour, clip)
    if gone is None:
        return NOT_HIDDEN
    if after.count == 0:
        return LOST
    found = after.find(told.colour)
    alike = found is not None and found.look.shape == told.shape and told.size in (None, found.look.size)
    if not alike or after.count != 1:
        return CHANGED
    way_in, way_out = gone
    return SAME if way_in * way_out < 0 else ELSEWHERE


def _behind(reader: SceneReader, colour: str, clip: Tensor) -> tuple[float, float] | None:
    """Where an object goes behind the bar and where it comes out, in pixels to the right of the bar's middle.

    None if there is no bar most of the time, or the object does not hide. An object hides if less than half of it is seen in two
    frames in a row, just after it was seen beside the bar. The way out is 0 if the object does not come out beside the bar. The
    clip is read window by window, since before the bar the object may be seen for a few frames only.
    """
    pieces, templates = [reader.read(piece) for piece in clip.split(_PIECE)], reader.templates
    bars = [bar for piece in pieces for bar in piece.bars if bar is not None]
    if len(bars) <= 0.7 * len(clip):
        return None
    first, end = np.median(bars, axis=0)
    found = [(len(piece.bars), piece.find(colour)) for piece in pieces]
    pixels = [np.zeros(n) if i is None else i.seen * float(templates.areas[templates.looks.index(i.look)]) for n, i in found]
    seen = np.concatenate(pixels) / max(np.percentile(np.concatenate(pixels), 90), 1.0)
    places = np.concatenate([np.full((n, 2), np.nan) if item is None else item.positions for n, item in found])
    right = shortest(places - [(first + end - 1) / 2, 0], *clip.shape[1:3])[:, 0]
    near = (end - first) / 2 + max(templates.radii) + _BESIDE
    beside = (seen >= 0.5) & (np.abs(right) <= near)
    shown = np.flatnonzero(seen >= 0.5)
    gaps = [(last, then) for last, then in pairwise((*shown, len(clip))) if then - last > 2 and beside[last]]
    if not gaps:
        return None
    (before, _), (_, after) = gaps[0], gaps[-1]
    return float(right[before]), float(right[after]) if after < len(clip) and beside[after] else 0.0
