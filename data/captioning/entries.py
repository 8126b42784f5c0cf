"""Entries of a timeline from evidence: changes that last, and none that flicker."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .blocks import Floats
from .measuring import Measures
from .rules import RULES, Rule

LEAST_SECONDS = 1.0
"""No entry is shorter, unless the shot is."""
_PRICE = 0.4  # seconds of full evidence that a change has to bring


@dataclass(frozen=True)
class Phrases:
    """What the rules say of a stretch of a shot.

    Attributes:
        first: The moment at which it begins.
        end: The moment before which it ends.
        words: What each rule says, in order.
    """

    first: int
    end: int
    words: tuple[str, ...]


def stretches(measures: Measures, rules: Sequence[Rule] = RULES) -> list[Phrases]:
    """Cuts a shot where what can be said of it changes for good."""
    evidence = [rule.evidence(measures) for rule in rules]
    least = max(1, round(LEAST_SECONDS * measures.rate))
    borders = [0, len(measures)]
    for rule, rows in zip(rules, evidence, strict=True):
        if rule.splits:
            steady = steadied(rows, _PRICE * measures.rate)
            for change in np.flatnonzero(np.diff(steady)) + 1:
                if min(abs(change - border) for border in borders) >= least:
                    borders.append(int(change))
    borders.sort()
    found: list[Phrases] = []
    for first, end in pairwise(borders):
        words = tuple(rule.phrases[rows[first:end].sum(0).argmax()] for rule, rows in zip(rules, evidence, strict=True))
        if found and words == found[-1].words:
            first = found.pop().first
        found.append(Phrases(first, end, words))
    return found


def steadied(evidence: Floats, price: float) -> NDArray[np.int64]:
    """The labels `[T]` with the most evidence `[T, P]` in all, where each change costs `price` (Viterbi 1967): a hysteresis.

    What is a little better for a moment changes nothing; what is better for long does, from where it began.
    """
    total = np.zeros(evidence.shape[1])
    came_from = np.empty(len(evidence), np.int64)
    stayed = np.empty(evidence.shape, bool)
    for moment, row in enumerate(evidence):
        best = int(total.argmax())
        came_from[moment], stayed[moment] = best, total >= total[best] - price
        total = np.maximum(total, total[best] - price) + row
    labels = np.empty(len(evidence), np.int64)
    label = int(total.argmax())
    for moment in range(len(evidence) - 1, -1, -1):
        labels[moment] = label
        label = label if stayed[moment, label] else int(came_from[moment])
    return labels


def sentence(words: Sequence[str]) -> str:
    """One text of what the rules say."""
    return ", ".join(filter(None, words))
