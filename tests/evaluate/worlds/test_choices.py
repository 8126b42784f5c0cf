"""What an action decides, as classes that can be named."""

import numpy as np
import pytest

from framecast.data import ActionSpace, Axis, Button
from framecast.evaluate.worlds.choices import accuracy, choices_of

SPACE = ActionSpace(
    (Button("left", group="turn"), Button("gas"), Button("right", group="turn"), Button("never")), (Axis("look"),)
)


def rows(*given) -> np.ndarray:
    return np.array(given, np.float32)


def test_a_group_is_one_choice_and_so_is_each_other_button_and_axis():
    found = choices_of(SPACE, rows([0, 0, 0, 0, -1], [1, 1, 0, 0, 0], [0, 1, 1, 0, 1]))
    assert [(choice.name, choice.labels) for choice in found] == [
        ("left / right", ("none", "left", "right")),
        ("gas", ("off", "on")),
        ("look", ("low", "middle", "high")),
    ], "what never changes is no choice"
    asked = rows([0, 0, 1, 0, -0.9], [1, 0, 0, 0, 0.9], [np.nan] * 5)
    assert [choice.classes(asked).tolist() for choice in found] == [[2, 1, -1], [0, 0, -1], [0, 2, -1]]


def test_an_axis_is_cut_into_thirds_of_what_it_does():
    space = ActionSpace((), (Axis("steering"),))
    [choice] = choices_of(space, np.linspace(-0.3, 0.3, 100, dtype=np.float32)[:, None])
    assert np.bincount(choice.classes(np.linspace(-0.3, 0.3, 99, dtype=np.float32)[:, None])).tolist() == [33, 33, 33]
    mostly_still = np.array([0.0] * 95 + [0.9] * 5, np.float32)[:, None]
    [choice] = choices_of(space, mostly_still)
    assert choice.classes(rows([-0.5], [0], [0.9])).tolist() == [0, 1, 2], "where thirds say nothing, thirds of its range do"


def test_accuracy_counts_what_is_known():
    assert accuracy(np.array([0, 1, 1, 0]), np.array([0, 1, 0, -1])) == pytest.approx(2 / 3)
    assert np.isnan(accuracy(np.array([0]), np.array([-1])))
    assert choices_of(SPACE, np.full((3, 5), np.nan, np.float32)) == ()
