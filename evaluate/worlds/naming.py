"""Whether an inverse-dynamics network names the true action from generated video as well as from true video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..figures import Figure, mean_of, ratio_of
from .choices import Classes, accuracy
from .inverse import InverseDynamics, true_classes
from .recording import Start

GENERATED, RECONSTRUCTED, TRUE = "generated video", "reconstructed video", "true video"
_RESAMPLES = 1000


@dataclass(frozen=True)
class Named:
    """What was named, and what was truly done.

    Attributes:
        guesses: By the kind of video: for each choice, for each clip, the classes that were named.
        truths: For each choice, for each clip, the true classes.
    """

    guesses: dict[str, list[list[Classes]]]
    truths: list[list[Classes]]


def named(net: InverseDynamics, starts: Sequence[Start], kinds: Mapping[str, Sequence[Tensor]]) -> Named:
    """Names the actions of some kinds of video of what followed each start."""
    guesses: dict[str, list[list[Classes]]] = {}
    for kind, clips in kinds.items():
        by_clip = [net.name(frames) for frames in clips]
        guesses[kind] = [[classes[at] for classes in by_clip] for at in range(len(net.choices))]
    truths = [[true_classes(choice, start.played) for start in starts] for choice in net.choices]
    return Named(guesses, truths)


def naming_figures(net: InverseDynamics, found: Named) -> list[Figure]:
    """Accuracy by kind of video: of all choices together, and of each."""
    figures, scores = [], {kind: _mean_scores(found, kind) for kind in found.guesses}
    for kind, values in scores.items():
        figures.append(
            mean_of(f"actions named from {kind}", values, 100.0, unit="%", better="higher" if kind == GENERATED else "")
        )
    both = [pair for pair in zip(scores[GENERATED], scores[TRUE], strict=True) if not np.isnan(pair).any()]
    values, references = [100 * made for made, _ in both], [true for _, true in both]
    name, target = "actions named from generated video, of those from true video", ">= 95 (W3)"
    figures.insert(0, ratio_of(name, values, references, unit="%", target=target))
    for at, choice in enumerate(net.choices):
        for kind, guesses in found.guesses.items():
            better = "higher" if kind == GENERATED else ""
            hits = [accuracy(*pair) for pair in zip(guesses[at], found.truths[at], strict=True)]
            figures.append(mean_of(f"{choice.name}: named from {kind}", hits, 100.0, unit="%", better=better))
            name = f"{choice.name}: balanced accuracy from {kind}"
            figures.append(balanced(name, guesses[at], found.truths[at], len(choice.labels), better=better))
        usual = _usual(found.truths[at], len(choice.labels))
        figures.append(mean_of(f"{choice.name}: right by always saying the commonest", usual, 100.0, unit="%", better=""))
    return figures


def balanced(name: str, guesses: Sequence[Classes], truths: Sequence[Classes], num_classes: int, **attributes) -> Figure:
    """Balanced accuracy in percent, the mean of the shares of each class; its interval is that of other draws of clips."""
    hits, totals = np.zeros((2, len(truths), num_classes))
    for at, (guess, truth) in enumerate(zip(guesses, truths, strict=True)):
        totals[at] = np.bincount(truth[truth >= 0], minlength=num_classes)
        hits[at] = np.bincount(truth[(truth >= 0) & (guess == truth)], minlength=num_classes)
    draws = np.random.default_rng(0).integers(len(truths), size=(_RESAMPLES, len(truths)))
    drawn = _class_mean(hits[draws].sum(axis=1), totals[draws].sum(axis=1))
    value = float(_class_mean(hits.sum(axis=0), totals.sum(axis=0)))
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if not np.isnan(drawn).all() else (np.nan, np.nan)
    return Figure(name, value, float(low), float(high), len(truths), "%", **attributes)


def _class_mean(hits: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """The mean over the classes that occur of the share of hits, in percent; NaN if none occurs."""
    shares = np.where(totals > 0, hits / np.maximum(totals, 1), 0).sum(axis=-1)
    occurring = (totals > 0).sum(axis=-1)
    return 100 * np.where(occurring > 0, shares / np.maximum(occurring, 1), np.nan)


def _mean_scores(found: Named, kind: str) -> list[float]:
    """For each clip the accuracy, the mean over the choices."""
    scores = [
        [accuracy(*pair) for pair in zip(guesses, truths, strict=True)]
        for guesses, truths in zip(found.guesses[kind], found.truths, strict=True)
    ]
    return np.mean(scores, axis=0).tolist()


def _usual(truths: Sequence[Classes], num_classes: int) -> list[float]:
    """For each clip the share of the class that is commonest in all of them."""
    totals = np.sum([np.bincount(truth[truth >= 0], minlength=num_classes) for truth in truths], axis=0)
    return [float((truth == totals.argmax()).mean()) if len(truth) else float("nan") for truth in truths]
