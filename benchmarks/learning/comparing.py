"""What the runs of arms say about each other: means, spread and p-values over seeds, at equal steps and at equal time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import mean, stdev

from scipy.stats import ttest_rel  # type: ignore[import-untyped]

from .training import Run

BASE = "base"


@dataclass(frozen=True)
class Difference:
    """How much an arm differs from the base, as a share of the base's nats, in pairs of one seed.

    Attributes:
        share: Mean of nats over the base's nats; below 1 is better.
        p: Of a paired t-test; NaN of a single seed.
    """

    share: float
    p: float

    @classmethod
    def of(cls, own: Sequence[float], base: Sequence[float]) -> "Difference":
        """Of the same seeds in the same order."""
        p = float(ttest_rel(own, base).pvalue) if len(own) > 1 else float("nan")
        return cls(mean(a / b for a, b in zip(own, base, strict=True)), p)

    def __str__(self) -> str:
        return f"{self.share:.3f}" + ("" if self.p != self.p else f" (p {self.p:.2g})")


@dataclass(frozen=True)
class Row:
    """An arm in the table.

    Attributes:
        nats: Mean and, of several seeds, standard deviation, by the length of the blocks.
        num_seeds: Seeds.
        seconds: Of a step, over a step of the base beside it.
        equal_steps: Against the base of as many steps.
        equal_time: Against the base of as much time; None if that was not run.
    """

    nats: dict[str, tuple[float, float]]
    num_seeds: int
    seconds: float
    equal_steps: Difference | None
    equal_time: Difference | None


class Comparison:
    """Runs, of which some are of the base.

    Args:
        runs: All of them.
        costs: Seconds of a step of an arm over those of the base, by name.
        length: The length of blocks whose nats are compared.
    """

    def __init__(self, runs: Sequence[Run], costs: dict[str, float], length: str = "row"):
        self.runs, self.costs, self.length = runs, costs, length

    def row(self, arm: str) -> Row:
        """What the table says of an arm, by those seeds that the base was trained with."""
        curves = self.base_curves()
        own = sorted((run for run in self.runs if run.arm == arm and run.seed in curves), key=lambda run: run.seed)
        nats = {name: (mean(values), stdev(values) if len(own) > 1 else float("nan")) for name, values in _columns(own).items()}
        cost, steps = self.costs.get(arm, 1.0), own[0].steps
        return Row(nats, len(own), cost, self._against(own, curves, steps), self._against(own, curves, steps * cost))

    def base_curves(self) -> dict[int, dict[int, float]]:
        """Nats of the base by steps, by seed."""
        curves: dict[int, dict[int, float]] = {}
        for run in self.runs:
            if run.arm.split(",")[0] == BASE:
                curves.setdefault(run.seed, {})[run.steps] = run.nats[self.length]
        return curves

    def _against(self, own: Sequence[Run], curves: dict[int, dict[int, float]], steps: float) -> Difference | None:
        base = [interpolate(curves[run.seed], steps) for run in own]
        known = [value for value in base if value is not None]
        if len(known) < len(own):
            return None
        return Difference.of([run.nats[self.length] for run in own], known)


def interpolate(curve: dict[int, float], steps: float) -> float | None:
    """The nats of a training of so many steps, on a line over the logarithm of the steps; None outside of what was run."""
    if steps in curve:
        return curve[int(steps)]
    before, after = [at for at in curve if at < steps], [at for at in curve if at > steps]
    if not before or not after:
        return None
    low, high = max(before), min(after)
    share = log(steps / low) / log(high / low)
    return curve[low] + share * (curve[high] - curve[low])


def _columns(runs: Sequence[Run]) -> dict[str, list[float]]:
    return {name: [run.nats[name] for run in runs] for name in runs[0].nats}
