"""Actions to try are actions of the world, and the same again for the same seed."""

import numpy as np
import pytest

from framecast.data import ActionSpace, Axis, Button
from framecast.evaluate.worlds.trying import busiest_keys, keys_of, opposites, random_actions

SPACE = ActionSpace(
    (Button("left", group="turn"), Button("right", group="turn"), Button("gas")), (Axis("look"), Axis("pedal", rest=-1))
)


def test_a_key_is_a_button_or_an_end_of_an_axis_where_it_does_not_rest():
    assert [key.name for key in keys_of(SPACE)] == ["left", "right", "gas", "look to -1", "look to 1", "pedal to 1"]


def test_a_pressed_key_lets_go_of_what_it_excludes():
    left = keys_of(SPACE)[0]
    rows = np.array([[0, 1, 1, 0.5, 0]], np.float32)
    assert left.press(rows).tolist() == [[1, 0, 1, 0.5, 0]] and left.release(left.press(rows)).tolist() == [[0, 0, 1, 0.5, 0]]
    assert rows.tolist() == [[0, 1, 1, 0.5, 0]], "what was given stays"
    for key in keys_of(SPACE):
        SPACE.check(key.press(rows)), SPACE.check(key.release(rows))


def test_keys_that_never_change_are_not_tried():
    rows = np.array([[0, 0, 0, 0, -1], [0, 1, 0, 0, 1]], np.float32)
    assert [key.name for key in busiest_keys(SPACE, rows)] == ["right", "pedal to 1"]
    assert busiest_keys(SPACE, np.full((2, 5), np.nan, np.float32)) == ()


def test_opposites_are_found_by_name_and_on_an_axis():
    assert [(a.name, b.name) for a, b in opposites(SPACE)] == [("left", "right"), ("look to -1", "look to 1")]
    doom = ActionSpace((Button("MOVE_FORWARD"), Button("TURN_LEFT"), Button("TURN_RIGHT"), Button("MOVE_BACKWARD")))
    assert {(a.name, b.name) for a, b in opposites(doom)} == {("TURN_LEFT", "TURN_RIGHT"), ("MOVE_FORWARD", "MOVE_BACKWARD")}
    assert opposites(ActionSpace((Button("fire"),))) == ()


@pytest.mark.parametrize("different", [3, 100])
def test_random_actions_are_those_of_the_recording_held_for_a_while(different):
    rows = np.random.default_rng(0).integers(different, size=(500, 2)).astype(np.float32)
    rows[::7] = np.nan
    made = random_actions(rows, 22, 4, seed=5)
    assert made.shape == (22, 2) and not np.isnan(made).any()
    assert (made[0:4] == made[0]).all() and (made == random_actions(rows, 22, 4, seed=5)).all()
    assert (
        len(np.unique(random_actions(rows, 400, 4, seed=5), axis=0)) > 3 and (made != random_actions(rows, 22, 4, seed=6)).any()
    )
