"""Least, largest, mean and spread of what a dataset holds, as trainings of LeRobot normalise by."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

_PICTURES = 8
"""Pictures of an episode that are counted."""


@dataclass
class _Sums:
    """What is known of one feature; unknown numbers count for nothing."""

    least: NDArray[np.float64]
    largest: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    known: NDArray[np.int64]
    count: int


class Statistics:
    """Sums over all rows, from which the figures follow at the end."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}
        self._pictures: set[str] = set()

    def add(self, name: str, rows: NDArray[Any], count: int | None = None) -> None:
        """Counts rows `[N]` or `[N, C]` of a feature; `count` rows of a dataset stand for them."""
        values = rows.reshape(len(rows), -1).astype(np.float64)
        known = ~np.isnan(values)
        zeroed = np.where(known, values, 0)
        low, high = np.where(known, values, np.inf).min(0), np.where(known, values, -np.inf).max(0)
        new = _Sums(low, high, zeroed.sum(0), (zeroed**2).sum(0), known.sum(0), len(rows) if count is None else count)
        old = self._sums.get(name)
        if old is not None:
            new = _Sums(
                np.minimum(old.least, new.least),
                np.maximum(old.largest, new.largest),
                old.total + new.total,
                old.squares + new.squares,
                old.known + new.known,
                old.count + new.count,
            )
        self._sums[name] = new

    def add_pictures(self, name: str, frames: NDArray[np.uint8]) -> None:
        """Counts some of the pictures `[T, H, W, 3]` of an episode, channel by channel, in [0, 1]."""
        some = frames[np.linspace(0, len(frames) - 1, min(len(frames), _PICTURES)).round().astype(int)]
        self.add(name, rearrange(some, "t h w c -> (t h w) c") / 255, count=len(some))
        self._pictures.add(name)

    def summary(self) -> dict[str, dict[str, Any]]:
        """The figures by feature; those of pictures are `[3, 1, 1]`. What is never known is 0."""
        return {name: self._figures(name, sums) for name, sums in self._sums.items()}

    def _figures(self, name: str, sums: _Sums) -> dict[str, Any]:
        known = np.maximum(sums.known, 1)
        mean = sums.total / known
        spread = np.sqrt(np.maximum(sums.squares / known - mean**2, 0))
        figures = {"min": sums.least, "max": sums.largest, "mean": mean, "std": spread}
        plain = {what: np.where(sums.known > 0, values, 0).tolist() for what, values in figures.items()}
        if name in self._pictures:
            plain = {what: [[[value]] for value in values] for what, values in plain.items()}
        return {**plain, "count": [sums.count]}
