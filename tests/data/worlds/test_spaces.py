"""Action spaces of Gymnasium and ours: every action has one row, every row one action."""

import numpy as np
import pytest
from gymnasium import spaces

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.data.worlds import from_gymnasium, mapping_of, to_gymnasium

DISCRETE = [
    spaces.Discrete(2),
    spaces.Discrete(7, start=-3),
    spaces.MultiDiscrete([2, 3, 5]),
    spaces.MultiDiscrete([3, 1, 2], start=[4, 0, -1]),
    spaces.MultiDiscrete([[2, 3], [4, 2]]),
    spaces.MultiBinary(6),
    spaces.MultiBinary((2, 2)),
]
BOXES = [
    spaces.Box(-1, 1, (3,)),
    spaces.Box(np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32)),
    spaces.Box(-0.3, 0.7, (2, 2), np.float64),
    spaces.Box(0, 255, (4,), np.uint8),
]
PAD = ActionSpace((Button("left", group="turn"), Button("fire"), Button("right", group="turn")))
WHEEL = ActionSpace(axes=(Axis("steering", low=-0.3, high=0.3), Axis("throttle", low=0, high=2, rest=-1)))


def actions(space, count: int = 40):
    space.seed(0)
    return [space.sample() for _ in range(count)]


def rows(space: ActionSpace, count: int = 60) -> np.ndarray:
    """Random rows that a space allows."""
    rng = np.random.default_rng(0)
    made = np.concatenate([rng.integers(0, 2, (count, len(space.buttons))), rng.uniform(-1, 1, (count, len(space.axes)))], 1)
    for group in space.groups:
        made[:, list(group)] *= np.eye(len(group) + 1)[rng.integers(0, len(group) + 1, count)][:, 1:]
    return made.astype(np.float32)


@pytest.mark.parametrize("space", DISCRETE, ids=str)
def test_discrete_actions_and_rows_are_one_to_one(space):
    mapping = from_gymnasium(space)
    for action in actions(space):
        again = mapping.to_env(mapping.from_env(action))
        assert space.contains(again) and np.array_equal(again, action)
    for row in rows(mapping.space):
        assert space.contains(mapping.to_env(row))
        assert np.array_equal(mapping.from_env(mapping.to_env(row)), row)


@pytest.mark.parametrize("space", BOXES, ids=str)
def test_boxes_keep_their_numbers_to_a_step_of_float32_and_their_ends_exactly(space):
    mapping = from_gymnasium(space)
    for action in actions(space):
        again = mapping.to_env(mapping.from_env(action))
        assert again.dtype == space.dtype and again.shape == space.shape and space.contains(again)
        span = (space.high - space.low).astype(np.float64)
        assert (np.abs(again.astype(np.float64) - action) <= span * 2**-24).all()
    for end, value in ((space.low, -1), (space.high, 1)):
        assert (mapping.from_env(end) == value).all()
        assert np.array_equal(mapping.to_env(np.full(mapping.space.size, value, np.float32)), end)
    if space.dtype.kind == "u":  # whole numbers are exact
        assert all(np.array_equal(mapping.to_env(mapping.from_env(action)), action) for action in actions(space))


def test_an_axis_rests_where_the_environment_has_nought():
    mapping = from_gymnasium(BOXES[1], ["steer", "gas", "brake"])
    assert mapping.space.names == ("steer", "gas", "brake")
    assert mapping.to_env(mapping.space.nothing).tolist() == [0, 0, 0]
    assert [axis.rest for axis in mapping.space.axes] == [0, -1, -1]


def test_no_button_is_the_choice_called_noop_or_else_the_first():
    named = from_gymnasium(spaces.Discrete(3), ["FIRE", "NOOP", "UP"])
    assert named.space.names == ("fire", "up") and named.to_env(named.space.nothing) == 1
    plain = from_gymnasium(spaces.Discrete(3))
    assert plain.space.names == ("action 1", "action 2") and plain.to_env(plain.space.nothing) == 0
    assert from_gymnasium(spaces.Discrete(2)).space.groups == ()
    assert len(from_gymnasium(spaces.MultiDiscrete([3, 2, 4])).space.groups) == 2


@pytest.mark.parametrize(
    ("space", "kind"),
    [
        (ActionSpace((Button("a"), Button("b"))), spaces.MultiBinary(2)),
        (ActionSpace((Button("a", group="g"), Button("b", group="g"))), spaces.Discrete(3)),
        (PAD, spaces.MultiDiscrete([3, 2])),
        (WHEEL, spaces.Box(np.array([-0.3, 0], np.float32), np.array([0.3, 2], np.float32))),
        (
            ActionSpace((Button("fire"),), WHEEL.axes),
            spaces.Dict({"buttons": spaces.MultiBinary(1), "axes": to_gymnasium(WHEEL)}),
        ),
    ],
    ids=["buttons", "a group", "groups", "axes", "both"],
)
def test_our_spaces_become_gymnasiums_and_come_back(space, kind):
    assert to_gymnasium(space) == kind
    mapping = mapping_of(space)
    assert mapping.space == space
    for row in rows(space):
        assert kind.contains(mapping.to_env(row))
        np.testing.assert_allclose(mapping.from_env(mapping.to_env(row)), row, atol=3e-7)
    for action in actions(kind):
        space.check(mapping.from_env(action)[None])
    back = from_gymnasium(kind, space.names if space is not PAD else ["left", "right", "fire"])
    assert back.space.size == space.size and set(back.space.names) == set(space.names)
    ends = [[(axis.low, axis.high, axis.rest) for axis in each.axes] for each in (back.space, space)]
    np.testing.assert_allclose(*ends, atol=1e-6)


def test_a_mapping_takes_other_names_and_groups():
    mapping = from_gymnasium(spaces.MultiBinary(3)).called(PAD)
    assert mapping.to_env(PAD.action("left+fire")).tolist() == [1, 1, 0]
    with pytest.raises(ActionError, match="left and right at once"):
        mapping.from_env(np.array([1, 0, 1], np.int8))
    with pytest.raises(ActionError, match=r"got a space of 3 buttons and 0 axes for MultiBinary\(2\); wanted 2 buttons and 0"):
        from_gymnasium(spaces.MultiBinary(2)).called(PAD)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (spaces.Tuple([spaces.Discrete(2)]), r"got an action space Tuple\(Discrete\(2\)\); wanted Discrete, MultiDiscrete"),
        (spaces.Text(5), "got an action space Text.*; wrap the environment"),
        (spaces.Dict({"binary": spaces.Discrete(2)}), "got an action space Dict"),
        (spaces.Box(-np.inf, np.inf, (2,)), "wanted finite ends, the lower below the upper and at most 1e"),
        (spaces.Box(-1e30, 1e30, (2,)), "at most 1e.06 apart"),
        (spaces.Box(0, 1, (300,)), "got an action space of 300 numbers or choices; wanted at most 256"),
        (spaces.Discrete(10**9), "got an action space of 1000000000 numbers"),
        (spaces.Discrete(1), "in which there is nothing to choose"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_spaces_are_refused(space, message):
    with pytest.raises(ActionError, match=message):
        from_gymnasium(space)


@pytest.mark.parametrize("action", [3, -1, 1.5, "up", None, [0, 1]])
def test_an_action_of_another_space_is_refused(action):
    with pytest.raises(ActionError, match=r"as an action; wanted one of Discrete\(3\)"):
        from_gymnasium(spaces.Discrete(3)).from_env(action)


def test_rows_that_cannot_be_done_are_refused():
    mapping = from_gymnasium(spaces.Discrete(3))
    with pytest.raises(ActionError, match="got an unknown action; an environment needs a known one"):
        mapping.to_env(mapping.space.unknown)
    with pytest.raises(ActionError, match="got an action with action 1 and action 2 at once"):
        mapping.to_env(np.ones(2))
    with pytest.raises(ActionError, match="got 1 names for 3 things to do"):
        from_gymnasium(spaces.Discrete(3), ["a"])
    box = from_gymnasium(spaces.Box(-1, 1, (2,)))
    for action in ([0, 2], [0], [0, np.nan]):
        with pytest.raises(ActionError, match="as an action; wanted one of Box"):
            box.from_env(action)
