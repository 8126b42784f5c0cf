"""Steps at the rate of a clip: means, majorities, groups, sums, and what is unknown."""

import numpy as np
import pytest

from framecast.data.actions import ActionSpace, Axis, Button
from framecast.data.actions.resampling import reduce_actions, resample
from framecast.data.actions.steps import Steps

NAN = np.nan
SPACE = ActionSpace((Button("left", group="turn"), Button("right", group="turn"), Button("gas")), (Axis("zoom"),))


def rows(*values) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("several", "wanted"),
    [
        ([(1, 0, 0, 0.5)], (1, 0, 0, 0.5)),
        ([(1, 0, 0, 0.5), (1, 0, 1, -0.5), (0, 1, 1, 0.3)], (1, 0, 1, 0.1)),
        ([(1, 0, 1, 0), (0, 1, 0, 0)], (0, 1, 0, 0)),  # a tie goes to the latest
        ([(0, 1, 0, 0), (1, 0, 1, 0)], (1, 0, 1, 0)),
        ([(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)], (0, 0, 0, 0)),  # neither is a value of a group too
        ([(1, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)], (0, 1, 0, 0)),
        ([(NAN,) * 4, (1, 0, 1, 0.25)], (1, 0, 1, 0.25)),
        ([(NAN,) * 4, (NAN,) * 4], (NAN,) * 4),
        ([], (NAN,) * 4),
    ],
)
def test_several_actions_become_one(several, wanted):
    reduced = reduce_actions(rows(*several).reshape(-1, 4), SPACE)
    np.testing.assert_allclose(reduced, wanted, atol=1e-7)
    SPACE.check(reduced)


def test_groups_stay_exclusive_whatever_comes():
    rng = np.random.default_rng(0)
    for _ in range(50):
        turns, gas = rng.integers(0, 3, 7), rng.integers(0, 2, 7)
        several = np.stack([turns == 1, turns == 2, gas, rng.uniform(-1, 1, 7)], 1).astype(np.float32)
        SPACE.check(reduce_actions(several, SPACE))


def numbered(count: int) -> Steps:
    """Steps whose axis says the number of their frame, in hundredths."""
    actions = np.zeros((count, 4), np.float32)
    actions[:, 3] = np.arange(count) / 100
    actions[0] = NAN
    rewards = np.arange(count, dtype=np.float32)
    rewards[0] = NAN
    return Steps(actions, rewards, np.arange(count) == count - 1)


def test_the_same_rate_takes_the_rows_as_they_are():
    steps = resample(numbered(9), SPACE, range(2, 7))
    np.testing.assert_array_equal(steps.actions[:, 3], rows(NAN, 0.03, 0.04, 0.05, 0.06))
    np.testing.assert_array_equal(steps.rewards, rows(NAN, 3, 4, 5, 6))
    assert not steps.ends.any() and resample(numbered(9), SPACE, range(6, 9)).ends.tolist() == [False, False, True]


def test_a_lower_rate_takes_all_that_was_done_between_two_frames():
    steps = resample(numbered(9), SPACE, (0, 3, 4, 8))
    np.testing.assert_allclose(steps.actions[:, 3], [NAN, 0.02, 0.04, 0.065], atol=1e-7)
    np.testing.assert_array_equal(steps.rewards, rows(NAN, 1 + 2 + 3, 4, 5 + 6 + 7 + 8))
    assert steps.ends.tolist() == [False, False, False, True]


def test_a_higher_rate_holds_the_action_until_its_frame_is_there():
    steps = resample(numbered(3), SPACE, (0, 0, 1, 1, 2, 2))
    np.testing.assert_allclose(steps.actions[:, 3], [NAN, 0.01, 0.01, 0.02, 0.02, NAN], atol=1e-7)
    np.testing.assert_array_equal(steps.rewards, rows(NAN, 0, 1, 0, 2, 0))
    assert steps.ends.tolist() == [False, False, False, False, True, False]


def test_rows_that_were_chosen_at_their_frame_show_one_later_and_a_delay_adds_to_that():
    given = Steps(rows((1,), (2,), (3,), (4,)), rows(1, 2, 3, 4), np.array([False, False, True, False]))
    shown, chosen, late = given.shifted(False, 0), given.shifted(True, 0), given.shifted(True, 2)
    np.testing.assert_array_equal(shown.actions[:, 0], rows(NAN, 2, 3, 4))
    np.testing.assert_array_equal(chosen.actions[:, 0], rows(NAN, 1, 2, 3))
    np.testing.assert_array_equal(late.actions[:, 0], rows(NAN, NAN, NAN, 1))
    np.testing.assert_array_equal(late.rewards, rows(NAN, 1, 2, 3))
    assert chosen.ends.tolist() == [False, False, False, True]
    for delay in (4, 5, 9):
        assert np.isnan(given.shifted(False, delay).actions).all()
