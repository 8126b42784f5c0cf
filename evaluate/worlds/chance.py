"""Balanced accuracy above chance: what a judge knows, less what a judge that knows nothing would get."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..figures import Figure, interval
from .choices import Classes

_RESAMPLES = 1000
AT_CHANCE, TOO_FEW = "the judge is at chance on true video", "too few stretches for an interval"
Weights = NDArray[np.int64]
"""int64 `[draws, groups]`: how often each group of stretches is drawn."""


@dataclass(frozen=True, eq=False)
class Tally:
    """How often each class came, and how often it was named then.

    Attributes:
        hits: int64 `[groups, classes]`, frames of a class that were named rightly, by group of stretches.
        totals: int64 `[groups, classes]`, all frames of that class.
        count: Stretches.
    """

    hits: NDArray[np.int64]
    totals: NDArray[np.int64]
    count: int

    def balanced(self, weights: Weights) -> np.ndarray:
        """Percent for each draw: the mean over the classes that occur of the share that was named; NaN if none occurs."""
        hits, totals = weights @ self.hits, weights @ self.totals
        shares = np.where(totals > 0, hits / np.maximum(totals, 1), 0).sum(axis=1)
        return 100 * _or_nan(shares, (totals > 0).sum(axis=1))

    def chance(self, weights: Weights) -> np.ndarray:
        """Percent for each draw that a judge gets who does not look; NaN if fewer than two classes occur."""
        occurring = (weights @ self.totals > 0).sum(axis=1)
        return 100 * _or_nan(np.ones(len(weights)), np.where(occurring > 1, occurring, 0))

    def gain(self, weights: Weights) -> np.ndarray:
        """Percent above chance for each draw."""
        gain: np.ndarray = self.balanced(weights) - self.chance(weights)
        return gain


def tally(guesses: Sequence[Classes], truths: Sequence[Classes], num_classes: int, groups: Sequence[int]) -> Tally:
    """Counts what was named in each stretch.

    Args:
        guesses: For each stretch the classes that were named.
        truths: The true ones; -1 does not count.
        num_classes: How many classes there are.
        groups: Which stretches share one fate, such as those of one video: 0, 1, ...
    """
    hits, totals = np.zeros((2, max(groups) + 1, num_classes), dtype=np.int64)
    for guess, truth, group in zip(guesses, truths, groups, strict=True):
        totals[group] += np.bincount(truth[truth >= 0], minlength=num_classes)
        hits[group] += np.bincount(truth[(truth >= 0) & (guess == truth)], minlength=num_classes)
    return Tally(hits, totals, len(truths))


def balanced_figure(name: str, found: Tally, **attributes) -> Figure:
    """Balanced accuracy in percent; its interval is that of other draws of stretches."""
    value, drawn = found.balanced(_all(found))[0], found.balanced(_draws(found))
    return Figure(name, float(value), *interval(drawn, len(found.totals)), found.count, "%", **attributes)


def gain_figure(name: str, found: Sequence[Tally], **attributes) -> Figure:
    """By how many percent the judge is above chance, the mean of some choices, with its interval."""
    value, drawn = _mean_gain(found, _all(found[0]))[0], _mean_gain(found, _draws(found[0]))
    return Figure(name, float(value), *interval(drawn, len(found[0].totals)), found[0].count, "%", **attributes)


def kept_gain(name: str, generated: Sequence[Tally], true: Sequence[Tally], **attributes) -> Figure:
    """How much of what is named above chance from true video is named from generated video, in percent.

    There is no value if the judge names nothing from true video: if the interval of its gain reaches 0.

    Args:
        name: Name of the figure.
        generated: Of each choice what was named from generated video.
        true: The same from true video, of the same stretches.
        attributes: Other attributes of the figure.
    """
    judge, count = gain_figure("", true), true[0].count
    if not judge.low > 0:
        lacking = AT_CHANCE if not np.isnan(judge.low) else TOO_FEW
        return Figure(name, float("nan"), float("nan"), float("nan"), count, "%", lacking=lacking, **attributes)
    weights = _draws(true[0])
    below = _mean_gain(true, weights)
    drawn = 100 * _mean_gain(generated, weights) / np.where(below > 0, below, np.nan)
    value = 100 * _mean_gain(generated, _all(true[0]))[0] / judge.value
    return Figure(name, float(value), *interval(drawn, len(true[0].totals)), count, "%", **attributes)


def _mean_gain(found: Sequence[Tally], weights: Weights) -> np.ndarray:
    """The mean over the choices that can be told in a draw; NaN if there is none."""
    gains = np.stack([each.gain(weights) for each in found])
    return _or_nan(np.nansum(gains, axis=0), (~np.isnan(gains)).sum(axis=0))


def _all(found: Tally) -> Weights:
    """Each group once."""
    return np.ones((1, len(found.totals)), dtype=np.int64)


def _draws(found: Tally) -> Weights:
    """As many groups drawn with replacement, many times; the same for all tallies of the same stretches."""
    groups = len(found.totals)
    return np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), size=_RESAMPLES)


def _or_nan(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sums over counts; NaN where nothing was counted."""
    found: np.ndarray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found
