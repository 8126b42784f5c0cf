"""What an evaluation finds: figures with their uncertainty, curves, and clips to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

_RESAMPLES = 2000
LEAST_FOR_INTERVAL = 3
"""Of two clips nobody can say how clips differ: fewer than this have no interval."""


@dataclass(frozen=True)
class Figure:
    """One number, with the interval in which another draw of clips would put it.

    Attributes:
        name: What it measures, in a few words.
        value: The number; NaN if there was nothing to measure.
        low: Lower end of its 95 % interval; NaN if there is none.
        high: Upper end.
        count: How many clips, objects or frames it is the mean of.
        unit: "%", "dB", "px" and so on; empty for a plain number.
        better: "higher", "lower", or "" if neither is better.
        target: What it should reach, such as ">= 98 (Q2)"; empty if nothing is set.
        reference: The same figure of true clips, read in the same way; its distance from perfect is the instrument's own
            error. None if there is no such thing.
        headline: Whether it is among the few figures that head the report.
        lacking: Why there is no value, in a few words; empty if there is one, or if nothing is known.
        grid: Title, row and column of a table of two ways in which it is shown; empty if it is a row of its own.
    """

    name: str
    value: float
    low: float
    high: float
    count: int
    unit: str = ""
    better: str = "higher"
    target: str = ""
    reference: float | None = None
    headline: bool = False
    lacking: str = ""
    grid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes:
        plot: Title of the plot it belongs to.
        name: What the line is.
        x: Places along the axis.
        y: Values.
        x_label: What `x` counts.
        y_label: What `y` counts.
    """

    plot: str
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_label: str
    y_label: str


@dataclass(frozen=True, eq=False)
class Sample:
    """A clip to look at.

    Attributes:
        label: Its prompt, or whatever says what it should show.
        note: What was found.
        badness: Higher is worse; the worst are shown first.
        frames: uint8 `[T, H, W, 3]`.
        file: Name of a PNG beside the report that keeps its first frame; empty if it is on the page alone.
    """

    label: str
    note: str
    badness: float
    frames: Tensor
    file: str = ""


@dataclass(frozen=True)
class Section:
    """What one part of the evaluation found about one bundle.

    Attributes:
        name: A short name, the same for all bundles.
        title: Its heading.
        about: A few sentences: what was done, and how to read it.
        figures: The numbers.
        curves: The lines of its plots.
        samples: Clips, the worst first.
        details: Anything else worth keeping, as plain JSON values; not shown on the page.
    """

    name: str
    title: str
    about: str
    figures: tuple[Figure, ...]
    curves: tuple[Curve, ...] = ()
    samples: tuple[Sample, ...] = ()
    details: dict[str, object] = field(default_factory=dict)


def worst(samples: Sequence[Sample], count: int) -> tuple[Sample, ...]:
    """The worst of some clips, the worst first."""
    return tuple(sorted(samples, key=lambda sample: -sample.badness)[:count])


def worst_and_typical(samples: Sequence[Sample], count: int) -> tuple[Sample, ...]:
    """The worst of some clips, and as many from the middle, whose notes say which they are."""
    ordered = worst(samples, len(samples))
    middle = max((len(ordered) - count) // 2, count)
    chosen = {"worst": ordered[:count], "typical": ordered[middle : middle + count]}
    return tuple(replace(sample, note=f"{kind}: {sample.note}") for kind, some in chosen.items() for sample in some)


def mean_of(
    name: str, values: Sequence[float], scale: float = 1.0, clips: Sequence[int] | None = None, seed: int = 0, **attributes
) -> Figure:
    """The mean of values; those that are NaN do not count.

    Args:
        name: Name of the figure.
        values: What is averaged.
        scale: Factor on all of them; 100 for shares in percent.
        clips: Which clip each value is of, if a clip has several: they share one fate, so whole clips are drawn again.
            None if each value stands alone.
        seed: Seed of the bootstrap (Efron 1979; percentile interval, 2,000 resamples).
        attributes: Other attributes of the figure.
    """
    kept = np.asarray(values, dtype=np.float64) * scale
    there = ~np.isnan(kept)
    if not there.any():
        return Figure(name, float("nan"), float("nan"), float("nan"), 0, **attributes)
    which = np.arange(len(kept)) if clips is None else np.asarray(clips)
    rows = np.unique(which[there], return_inverse=True)[1]
    sums, counts = np.bincount(rows, weights=kept[there]), np.bincount(rows)
    draws = _draws(len(sums), seed)
    low, high = interval(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), len(sums))
    return Figure(name, float(kept[there].mean()), low, high, int(there.sum()), **attributes)


def ratio_of(name: str, values: Sequence[float], references: Sequence[float], seed: int = 0, **attributes) -> Figure:
    """The sum of values over that of references, clip by clip the same; its interval is that of other draws of clips."""
    pairs = np.asarray([values, references], dtype=np.float64).T
    if not len(pairs) or not pairs[:, 1].sum() > 0:
        return Figure(name, float("nan"), float("nan"), float("nan"), 0, **attributes)
    draws = pairs[_draws(len(pairs), seed)].sum(axis=1)
    low, high = interval(draws[:, 0] / np.maximum(draws[:, 1], 1e-9), len(pairs))
    value = float(pairs[:, 0].sum() / pairs[:, 1].sum())
    return Figure(name, value, low, high, len(pairs), **attributes)


def of_draws(name: str, statistic: Callable[[np.ndarray], float], count: int, seed: int = 0, **attributes) -> Figure:
    """What a statistic says of `count` clips, with the interval that other draws of clips would give.

    Args:
        name: Name of the figure.
        statistic: Given the places of some clips, int64 `[count]`, says the number.
        count: How many clips there are, at least 1.
        seed: Seed of the bootstrap.
        attributes: Other attributes of the figure.
    """
    low, high = interval(np.array([statistic(draw) for draw in _draws(count, seed)]), count)
    return Figure(name, statistic(np.arange(count)), low, high, count, **attributes)


def without_interval(name: str, value: float, count: int, **attributes) -> Figure:
    """A number that is no mean of clips."""
    return Figure(name, value, float("nan"), float("nan"), count, **attributes)


def median_of(name: str, values: Sequence[float], seed: int = 0, **attributes) -> Figure:
    """As `mean_of`, with the median."""
    return middle_of_all(name, np.asarray(values, dtype=np.float64)[:, None], seed, **attributes)


def middle_of_all(name: str, rows: np.ndarray, seed: int = 0, **attributes) -> Figure:
    """The median of all values of all rows, with the interval that other rows would give: values of one clip are not independent.

    Args:
        name: Name of the figure.
        rows: float64 `[rows, values]`; NaN is left out.
        seed: Seed of the bootstrap.
        attributes: Other attributes of the figure.
    """
    rows = rows[~np.isnan(rows).all(axis=1)]
    if not len(rows):
        return Figure(name, float("nan"), float("nan"), float("nan"), 0, **attributes)
    low, high = interval(np.array([np.nanmedian(rows[draw]) for draw in _draws(len(rows), seed)]), len(rows))
    return Figure(name, float(np.nanmedian(rows)), low, high, len(rows), **attributes)


def share_of(name: str, hits: Sequence[bool | float], clips: Sequence[int] | None = None, **attributes) -> Figure:
    """How often something holds, in percent; see `mean_of`.

    If it holds always or never, a bootstrap has nothing to draw from; the interval is then the exact one of as many clips
    (Clopper and Pearson 1934). Two clips or one have no interval.
    """
    figure = mean_of(name, hits, 100.0, clips, **{"unit": "%", **attributes})
    if figure.value not in (0.0, 100.0):
        return figure
    clear = ~np.isnan(np.asarray(hits, dtype=np.float64))
    count = figure.count if clips is None else len(np.unique(np.asarray(clips)[clear]))
    if count < LEAST_FOR_INTERVAL:
        return figure
    doubt = 100 * (1 - 0.025 ** (1 / count))
    return replace(figure, low=100 - doubt) if figure.value else replace(figure, high=doubt)


def interval(draws: np.ndarray, count: int) -> tuple[float, float]:
    """The middle 95 % of what other draws gave; NaN if they are draws of fewer than three clips, or if nothing was found."""
    if count < LEAST_FOR_INTERVAL or np.isnan(draws).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _draws(count: int, seed: int) -> np.ndarray:
    """Places of as many clips drawn with replacement, many times."""
    return np.random.default_rng(seed).integers(count, size=(_RESAMPLES, count))
