"""`ActionSpace`: actions as people give them become rows of numbers, or an error that says what was wanted."""

import json

import numpy as np
import pytest
import torch

from framecast.data import ActionError, ActionSpace, Axis, Button

DRIVE = ActionSpace(
    (Button("left", "ArrowLeft", "turn"), Button("right", "ArrowRight", "turn"), Button("gas", "ArrowUp")),
    (Axis("steering", ("KeyA", "KeyD"), low=-0.3, high=0.3), Axis("brake", rest=-1.0)),
)


def test_a_row_has_buttons_then_axes():
    assert DRIVE.size == 5 and DRIVE.names == ("left", "right", "gas", "steering", "brake")
    assert DRIVE.nothing.tolist() == [0, 0, 0, 0, -1] and np.isnan(DRIVE.unknown).all()


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ("left + gas", [1, 0, 1, 0, -1]),
        ("", [0, 0, 0, 0, -1]),
        ({"gas": True, "steering": -0.5}, [0, 0, 1, -0.5, -1]),
        ([0, 1, 0, 0.25, 1], [0, 1, 0, 0.25, 1]),
        (np.array([0, 1, 0, 0.25, 1], np.float64), [0, 1, 0, 0.25, 1]),
        (torch.tensor([0, 1, 0, 0.25, 1], dtype=torch.bfloat16), [0, 1, 0, 0.25, 1]),
    ],
)
def test_actions_come_in_the_forms_that_people_have(value, row):
    made = DRIVE.action(value)
    assert made.dtype == np.float32 and made.tolist() == row


def test_none_is_unknown_and_not_nothing():
    assert np.isnan(DRIVE.action(None)).all()
    assert [DRIVE.describe(DRIVE.action(value)) for value in (None, "", "left", {"gas": 1, "steering": 0.5})] == [
        "unknown", "nothing", "left", "gas + steering 0.5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 1], "got an action of shape [2]; wanted 5 numbers, one each for left, right, gas, steering, brake"),
        ("jump", "got jump, which this world has not; wanted some of left, right, gas, steering, brake"),
        ("left+right", "got an action with left and right at once in row 0; wanted at most one of left, right"),
        ({"gas": 0.5}, "got an action with gas 0.5 in row 0; wanted 0 or 1, it is a button"),
        ({"steering": 1.5}, "got an action with steering 1.5 in row 0; wanted -1 to 1, it is an axis"),
        ({"steering": "far"}, "got steering 'far'; wanted a number"),
        ({"steering": float("nan")}, "got steering nan; wanted a number"),
        ([0, 0, 0, float("inf"), 0], "got an action with steering inf in row 0; wanted -1 to 1, it is an axis"),
        ([0, 0, 0, float("nan"), 0], "got an action without a number for steering in row 0; wanted all of"),
        (object(), "as an action; wanted 5 numbers"),
        ([10**400] * 5, "as an action; wanted 5 numbers"),
        ({"steering": 10**400}, "got steering with a number of more than 300 digits; wanted a number"),
        (7, "got an action of shape []; wanted 5 numbers"),
    ],
)
def test_a_wrong_action_says_what_was_wanted(value, message):
    with pytest.raises(ActionError) as error:
        DRIVE.action(value)
    assert message in str(error.value)


def test_many_rows_are_checked_at_once():
    rows = np.stack([DRIVE.action("left"), DRIVE.unknown, DRIVE.nothing])
    np.testing.assert_array_equal(DRIVE.check(rows), rows)
    rows[2, 0] = rows[2, 1] = 1
    with pytest.raises(ActionError, match=r"the actions of a.mp4 with left and right at once in row 2"):
        DRIVE.check(rows, "the actions of a.mp4")


def test_a_space_is_plain_values_and_back():
    assert ActionSpace.from_json(json.loads(json.dumps(DRIVE.to_json()))) == DRIVE
    assert ActionSpace.from_json({"buttons": [{"name": "go"}]}) == ActionSpace((Button("go"),))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Button(5),
        lambda: Button(b"a"),
        lambda: Button("a", group=5),
        lambda: Axis("a", keys="ab"),
        lambda: Axis("a", keys=("x",)),
        lambda: Axis("a", keys=("x", 5)),
        lambda: Axis("a", low="0"),
        lambda: Axis("a", high=10**400),
        lambda: ActionSpace(("a",)),
    ],
)
def test_parts_of_other_kinds_are_refused(make):
    with pytest.raises(ActionError, match=r"^got .*; wanted "):
        make()


@pytest.mark.parametrize(
    "values",
    [
        7, [], {"keys": []}, {"buttons": ["left"]}, {"buttons": [{"key": "KeyA"}]}, {"buttons": [{"name": 7}]},
        {"axes": [{"name": "x", "keys": "ab"}]}, {"axes": [{"name": "x", "low": "a"}]}, {"axes": [{"name": "x", "low": 2}]},
        {"buttons": []}, {"buttons": [{"name": "a"}, {"name": "a"}]}, {"buttons": [{"name": "a+b"}]}, {"buttons": 7},
    ],
)  # fmt: skip
def test_values_of_no_space_are_refused(values):
    with pytest.raises(ActionError, match=r"^got .*; wanted "):
        ActionSpace.from_json(values)
