"""Numbers as they were written to rows of a space."""

import numpy as np
import pytest

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.data.recorded import rows_of_space

SPACE = ActionSpace((Button("gas"),), (Axis("steering", low=-0.3, high=0.3), Axis("height", low=0, high=4)))
NAMES = ("height", "gas", "steering")


def test_columns_go_to_their_names_and_axes_to_their_range():
    rows = rows_of_space(np.array([[0, 1, 0.3], [2, 0, -0.15], [4, 0, 0], [np.nan] * 3]), NAMES, SPACE, own_units=True)
    np.testing.assert_allclose(rows, [[1, 1, -1], [0, -0.5, 0], [0, 0, 1], [np.nan] * 3], atol=1e-7)
    same = np.array([[1, 0.5, -1]], np.float32)
    np.testing.assert_array_equal(rows_of_space(same.astype(float), None, SPACE, own_units=False), same)


def test_an_axis_from_minus_one_to_one_keeps_every_bit():
    space, values = ActionSpace(axes=(Axis("x"),)), np.random.default_rng(0).uniform(-1, 1, (99, 1)).astype(np.float32)
    np.testing.assert_array_equal(rows_of_space(values.astype(float), None, space, own_units=True), values)


def test_a_sensor_may_read_a_little_too_far():
    rows = rows_of_space(np.array([[4.05, 0, -0.31]]), NAMES, SPACE, own_units=True)
    assert rows.tolist() == [[0, -1, 1]]


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        ([[0, 0, 0.5]], NAMES, "steering 0.5 in row 0; wanted -0.3 to 0.3; widen `low` and `high`"),
        ([[0, 0, 0], [-1, 0, 0]], NAMES, "height -1 in row 1; wanted 0 to 4"),
        ([[0, 0.5, 0]], NAMES, "gas 0.5 in row 0; wanted 0 or 1, it is a button"),
        ([[0, np.nan, 0]], NAMES, "actions without a number for gas in row 0"),
        ([[0, 0]], None, "got 2 numbers a frame; wanted 3, one each for gas, steering, height"),
        ([[0, 0]], NAMES, "got 2 numbers a frame; wanted 3, one each for height, gas, steering"),
        ([[0, 0, 0]], ("height", "gas", "wheel"), "got actions with wheel, which the space has not; wanted gas, steering"),
        ([[0, 0]], ("height", "gas"), "got actions with no steering; wanted gas, steering, height"),
        ([[0, 0, 0, 0]], ("height", "gas", "gas", "steering"), "got actions with a name twice"),
    ],
)
def test_numbers_that_are_no_action_say_why(values, names, message):
    with pytest.raises(ActionError, match=message):
        rows_of_space(np.array(values, float), names, SPACE, own_units=True)


def test_numbers_in_another_unit_than_stated_are_noticed():
    with pytest.raises(ActionError, match=r'or state ."units": "space". if these numbers go from -1 to 1'):
        rows_of_space(np.array([[0.0, 0.9, -1.0]]), None, SPACE, own_units=True)
