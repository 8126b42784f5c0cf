"""Whether an inverse-dynamics network names the true action from generated video as well as from true video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..figures import Figure, mean_of
from .action_net import ActionNet, true_classes
from .chance import Tally, balanced_figure, gain_figure, kept_gain, tally
from .choices import Choice, Classes, accuracy
from .recording import Start

GENERATED, RECONSTRUCTED, TRUE = "generated video", "reconstructed video", "true video"
_SOON = 16  # frames in which little comes into view that cannot be known
KEPT = "named from generated video, above chance, of true video"


@dataclass(frozen=True)
class Named:
    """What was named, and what was truly done.

    Attributes:
        guesses: By the kind of video: for each choice, for each stretch, the classes that were named.
        truths: For each choice, for each stretch, the true classes.
        groups: Which stretches share one fate, those of one video: 0, 1, ...
    """

    guesses: dict[str, list[list[Classes]]]
    truths: list[list[Classes]]
    groups: list[int]


def named(net: ActionNet, starts: Sequence[Start], kinds: Mapping[str, Sequence[Tensor]], groups: Sequence[int]) -> Named:
    """Names the actions of some kinds of video of what followed each start."""
    guesses: dict[str, list[list[Classes]]] = {}
    for kind, clips in kinds.items():
        by_clip = [net.name(frames) for frames in clips]
        guesses[kind] = [[classes[at] for classes in by_clip] for at in range(len(net.choices))]
    truths = [[true_classes(choice, start.played) for start in starts] for choice in net.choices]
    return Named(guesses, truths, list(groups))


def told_apart(net: ActionNet, found: Named) -> list[Choice]:
    """The choices that the network clearly names from true video: of the others, what it names says nothing."""
    by_choice = zip(net.choices, _tallies(net, found)[TRUE], strict=True)
    return [choice for choice, counts in by_choice if gain_figure("", [counts]).low > 0]


def _first(found: Named, frames: int) -> Named:
    """What was named of the first frames of each stretch."""
    guesses = {kind: [[row[:frames] for row in rows] for rows in by_choice] for kind, by_choice in found.guesses.items()}
    return Named(guesses, [[row[:frames] for row in rows] for rows in found.truths], found.groups)


def _tallies(net: ActionNet, found: Named) -> dict[str, list[Tally]]:
    """By the kind of video: what was named of each choice."""
    return {
        kind: [tally(guesses[at], found.truths[at], len(choice.labels), found.groups) for at, choice in enumerate(net.choices)]
        for kind, guesses in found.guesses.items()
    }


def naming_figures(net: ActionNet, found: Named) -> list[Figure]:
    """What is named above chance from generated video, of all choices together and of each; then accuracies."""
    tallies = _tallies(net, found)
    figures = [kept_gain(f"actions {KEPT}", tallies[GENERATED], tallies[TRUE], target=">= 95 (W3)", headline=True)]
    soon = _tallies(net, _first(found, _SOON - net.window.span + 1))
    figures.append(kept_gain(f"actions of the first {_SOON} frames {KEPT}", soon[GENERATED], soon[TRUE]))
    figures += _kept_by_choice(net, tallies)
    for kind, by_choice in tallies.items():
        figures.append(gain_figure(f"actions named above chance from {kind}", by_choice, better=_better(kind)))
    for kind in found.guesses:
        values = _mean_scores(found, kind)
        figures.append(mean_of(f"actions named from {kind}", values, 100.0, found.groups, unit="%", better=_better(kind)))
    for at, choice in enumerate(net.choices):
        for kind, by_choice in tallies.items():
            name = f"{choice.name}: balanced accuracy from {kind}{_chance(by_choice[at])}"
            figures.append(balanced_figure(name, by_choice[at], better=_better(kind)))
        usual = _usual(found.truths[at], len(choice.labels))
        name = f"{choice.name}: right by always saying the commonest"
        figures.append(mean_of(name, usual, 100.0, found.groups, unit="%", better=""))
    return figures


def _kept_by_choice(net: ActionNet, tallies: Mapping[str, Sequence[Tally]]) -> list[Figure]:
    """The first figure for each choice; none if there is but one."""
    if len(net.choices) < 2:
        return []
    return [
        kept_gain(f"{choice.name}: {KEPT}", [tallies[GENERATED][at]], [tallies[TRUE][at]])
        for at, choice in enumerate(net.choices)
    ]


def _better(kind: str) -> str:
    return "higher" if kind == GENERATED else ""


def _chance(found: Tally) -> str:
    """What a judge that does not look would get, in brackets."""
    chance = found.chance(np.ones((1, len(found.totals)), dtype=np.int64))[0]
    return "" if np.isnan(chance) else f" (chance {chance:.0f} %)"


def _mean_scores(found: Named, kind: str) -> list[float]:
    """For each stretch the accuracy, the mean over the choices."""
    scores = [
        [accuracy(*pair) for pair in zip(guesses, truths, strict=True)]
        for guesses, truths in zip(found.guesses[kind], found.truths, strict=True)
    ]
    return np.mean(scores, axis=0).tolist()


def _usual(truths: Sequence[Classes], num_classes: int) -> list[float]:
    """For each stretch the share of the class that is commonest in all of them."""
    totals = np.sum([np.bincount(truth[truth >= 0], minlength=num_classes) for truth in truths], axis=0)
    return [float((truth == totals.argmax()).mean()) if len(truth) else float("nan") for truth in truths]
