"""What the second reader finds in many clips, and how far the first one agrees."""

from collections.abc import Sequence

import numpy as np

from ..figures import Figure, share_of, without_interval
from .reader import SecondVerdict

_OF_OBJECTS = ("colour", "shape", "size", "motion")


def second_opinions(
    which: str, made: Sequence[SecondVerdict], true: Sequence[SecondVerdict], first: Sequence[bool]
) -> list[Figure]:
    """The figures of the second reader.

    Args:
        which: Which combinations the clips show, for the names of the figures.
        made: Its verdicts on generated clips.
        true: Its verdicts on true clips of the same captions.
        first: Whether the first reader finds everything right, of the same generated clips.
    """
    clips = [at for at, verdict in enumerate(made) for _ in verdict.objects]
    figures = []
    for mark in _OF_OBJECTS:
        found, real = ([float(getattr(one, mark)) for verdict in some for one in verdict.objects] for some in (made, true))
        reference = 100 * float(np.nanmean(real)) if not np.isnan(real).all() else None
        figures.append(share_of(f"{mark} right, second reader, {which}", found, clips, reference=reference))
    numbers, whole = (100 * float(np.mean(hits)) for hits in ([v.number for v in true], [v.right for v in true]))
    right = [verdict.right for verdict in made]
    return [
        *figures,
        share_of(f"number of objects right, second reader, {which}", [v.number for v in made], reference=numbers),
        share_of(f"everything right, second reader, {which}", right, reference=whole),
        share_of(f"both readers agree on everything right, {which}", np.equal(right, first).tolist(), better=""),
        without_interval(f"kappa of both readers, everything right, {which}", kappa(right, first), len(right), better=""),
    ]


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float:
    """How far two judges agree beyond chance (Cohen 1960): 1 always, 0 as by chance; NaN if both always say the same word."""
    first, second = np.asarray(one, dtype=bool), np.asarray(other, dtype=bool)
    chance = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    return float(((first == second).mean() - chance) / (1 - chance)) if chance < 1 else float("nan")
