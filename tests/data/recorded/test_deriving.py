"""The space of recordings that state none."""

import numpy as np
import pytest

from framecast.data import ActionError, Axis
from framecast.data.recorded import space_of_numbers


@pytest.mark.parametrize(
    ("name", "values", "ends", "rest"),
    [
        ("steering", [-0.1, 0.3], (-0.3, 0.3), 0),  # as far to either side
        ("steering", [0.1, 0.3], (-0.3, 0.3), 0),
        ("throttle", [-0.2, 0.5], (-0.5, 0.5), 0),
        ("throttle", [0.0, 0.5], (0, 0.5), -1),
        ("elbow", [0.4, 1.2], (0.4, 1.2), 0),  # 0 is out of reach, so the middle
        ("elbow", [-0.01, 2], (-0.01, 2), -0.995 / 1.005),
        ("still", [0.3, 0.3], (0.0, 0.6), -1),
        ("still", [0, 0], (-1, 1), 0),
        ("unknown", [np.nan, np.nan], (-1, 1), 0),
    ],
)
def test_an_axis_goes_as_far_as_its_numbers(name, values, ends, rest):
    axis = space_of_numbers([name], np.array(values, float)[:, None]).axes[0]
    assert (axis.low, axis.high) == pytest.approx(ends) and axis.rest == pytest.approx(rest)


def test_what_is_on_or_off_is_a_button_and_comes_first():
    rows = np.array([[0.5, 1, 1], [-0.5, 0, 1], [np.nan] * 3])
    space = space_of_numbers(["steering", "gas", "always"], rows)
    assert space.names == ("gas", "steering", "always")
    assert space.axes[0] == Axis("steering", ("ArrowLeft", "ArrowRight"), -0.5, 0.5)


@pytest.mark.parametrize("names", [["a", "a"], ["a+b", "c"]])
def test_names_that_are_none_are_refused(names):
    with pytest.raises(ActionError, match="name"):
        space_of_numbers(names, np.zeros((2, 2)))
