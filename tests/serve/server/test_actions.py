"""What a client may hold, and what is said of the rest."""

import json

import numpy as np
import pytest

from framecast.data.actions import ActionSpace, Axis, Button
from framecast.serve import ServeError
from framecast.serve.protocol.messages import parse_request
from framecast.serve.server.actions import action_of

SPACE = ActionSpace(
    (Button("left", "ArrowLeft", "steer"), Button("right", "ArrowRight", "steer"), Button("gas", "ArrowUp")),
    (Axis("wheel", rest=-1.0),),
)


def control(**values):
    return parse_request(json.dumps({"type": "control", "id": 1, **values}))


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({}, [0, 0, 0, -1]),
        ({"buttons": ["left", "gas"]}, [1, 0, 1, -1]),
        ({"buttons": [], "axes": {"wheel": 0.25}}, [0, 0, 0, 0.25]),
        ({"buttons": ["gas", "gas"], "axes": {"wheel": 1}}, [0, 0, 1, 1]),
        ({"buttons": None}, [np.nan] * 4),
    ],
)
def test_what_is_held_is_a_row(values, row):
    action = action_of(control(**values), SPACE)
    assert action.dtype == np.float32 and np.array_equal(action, np.array(row, np.float32), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"buttons": ["up"]}, "got up, which this world has not; wanted some of left, right, gas, wheel"),
        ({"buttons": ["left", "right"]}, "left and right at once"),
        ({"axes": {"wheel": 1.5}}, "wheel 1.5"),
        ({"buttons": ["wheel"]}, "got 'wheel' as a button; wanted one of gas, left, right"),
        ({"axes": {"gas": 1.0}}, "got 'gas' as an axis; wanted one of wheel"),
        ({"buttons": None, "axes": {"wheel": 0.0}}, "got axes of an unknown action; wanted none"),
    ],
)
def test_what_cannot_be_done_is_refused(values, message):
    with pytest.raises(ServeError) as caught:
        action_of(control(**values), SPACE)
    assert caught.value.code == "bad_action" and message in caught.value.message


def test_model_without_actions_takes_no_control():
    with pytest.raises(ServeError, match="got an action for a model without actions; wanted a prompt") as caught:
        action_of(control(), None)
    assert caught.value.code == "bad_action"


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "control"}',
        '{"type": "control", "id": -1}',
        '{"type": "control", "id": 1.5}',
        '{"type": "control", "id": 1, "buttons": "left"}',
        '{"type": "control", "id": 1, "buttons": [1]}',
        '{"type": "control", "id": 1, "buttons": [""]}',
        '{"type": "control", "id": 1, "axes": {"wheel": "1"}}',
        '{"type": "control", "id": 1, "axes": {"wheel": true}}',
        '{"type": "control", "id": 1, "axes": [0.5]}',
        '{"type": "control", "id": 1, "axes": {"wheel": NaN}}',
        '{"type": "control", "id": 1, "axes": {"wheel": 1e999}}',
        '{"type": "control", "id": 1, "clock": NaN}',
        '{"type": "control", "id": 1, "clock": "now"}',
        '{"type": "control", "id": 1, "hold": true}',
        json.dumps({"type": "control", "id": 1, "buttons": ["x" * 65]}),
        json.dumps({"type": "control", "id": 1, "buttons": ["x"] * 257}),
        json.dumps({"type": "control", "id": 1, "axes": {str(number): 0.0 for number in range(257)}}),
    ],
)
def test_messages_that_are_no_control(text):
    with pytest.raises(ServeError) as caught:
        parse_request(text)
    assert caught.value.code in ("bad_json", "bad_message")
