"""`WorldSpec` and `Controls`: plain values that come back as they were, and what they cannot be."""

import json
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.data.worlds import WorldSpec, world_spec
from framecast.data.worlds.controls import Controls

PEDALS = ActionSpace((Button("left", "KeyA", "turn"), Button("right", "KeyD", "turn"), Button("gas")))
PUSHES = {"left": (-0.6, 0), "right": (0.6, 0), "gas": (0, 0.3)}
SPEC = WorldSpec("Car-v0", PEDALS, 12.5, (32, 48), 4, (0, 84, 6, 90), 50, {"wind": [1, 2]}, PUSHES, {"gymnasium": "1.0"})
BOX = gymnasium.spaces.Box(np.array([-1, 0], np.float32), np.array([1, 1], np.float32))


def test_a_spec_comes_back_from_json():
    assert WorldSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC
    least = {"env_id": "Car-v0", "action_space": {"axes": [{"name": "wheel"}]}, "fps": 12}
    assert WorldSpec.from_json(least) == WorldSpec("Car-v0", ActionSpace(axes=(Axis("wheel"),)), 12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"env_id": ""}, "got env_id ''; wanted the id of an environment"),
        ({"fps": 0}, "got fps 0; wanted frames per second, above 0"),
        ({"size": (4, 0)}, r"got size \(4, 0\); wanted \(rows, columns\)"),
        ({"frame_skip": 0}, "got frame_skip 0; wanted 1 to 1000 steps a frame"),
        ({"warmup": -1}, "got warmup -1; wanted 0 or more steps"),
        ({"crop": (4, 4, 0, 9)}, r"got crop \(4, 4, 0, 9\), in which nothing is left"),
        ({"crop": (1, 2)}, r"got crop \(1, 2\); wanted four whole numbers"),
        ({"kwargs": {"f": print}}, "got kwargs .* wanted plain values"),
    ],
)
def test_a_spec_out_of_range_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SPEC, **change)


@pytest.mark.parametrize("values", [None, [], {"env_id": "a"}, {**SPEC.to_json(), "speed": 3}])
def test_values_of_no_spec_are_refused(values):
    with pytest.raises(ValueError, match=r"as an environment.*wanted the values of `WorldSpec.to_json`"):
        WorldSpec.from_json(values)


def test_buttons_push_the_numbers_of_a_box():
    controls = Controls(PEDALS, BOX, PUSHES)
    assert controls.to_env(PEDALS.action("left+gas")).tolist() == pytest.approx([-0.6, 0.3])
    assert BOX.contains(controls.to_env(PEDALS.nothing))
    for keys in ("", "left", "right+gas", "gas"):
        row = PEDALS.action(keys)
        assert np.array_equal(controls.from_env(controls.to_env(row)), row)
    with pytest.raises(ActionError, match=r"as an action; wanted one of Box"):
        controls.from_env(np.array([0.1, 0.1], np.float32))


@pytest.mark.parametrize("pushes", [{"left": (1, 2)}, {**PUSHES, "gas": (1,)}])
def test_controls_have_numbers_for_every_button(pushes):
    with pytest.raises(ActionError, match=r"got controls .*; wanted 2 numbers for each of left, right, gas"):
        Controls(PEDALS, BOX, pushes)


def test_what_is_not_to_be_known_is_asked_of_nobody():
    with pytest.raises(ValueError, match="got fps -3; wanted frames per second"):
        world_spec("small_worlds:Shown-v0", fps=-3)
