"""Names and keys of what can be done, told by environments of several habits, or by a person."""

import enum

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from small_worlds import ID, Shown

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.data.worlds import open_world, renamed, run_actions, world_spec
from framecast.data.worlds.naming import named_mapping, with_keys


class Moves(enum.IntEnum):
    forward = 2
    turn_left = 0
    turn_right = 1


class Told(Shown):
    """Says what its actions do in a way of its own."""

    def __init__(self, action_space=None, **told):
        super().__init__(action_space=action_space)
        vars(self).update(told)


def names(space, **told) -> tuple[str, ...]:
    return named_mapping(Told(space, **told)).space.names


@pytest.mark.parametrize(
    ("space", "told", "expected"),
    [
        (spaces.Discrete(3), {"get_action_meanings": lambda: ["NOOP", "UP", "FIRE"]}, ("up", "fire")),
        (spaces.Discrete(3), {"get_action_meanings": lambda: {1: "up", 0: "noop", 2: "fire"}}, ("up", "fire")),
        (spaces.Discrete(3), {"get_action_meanings": None, "actions": Moves}, ("turn_right", "forward")),
        (spaces.MultiBinary(2), {"get_action_meanings": None, "action_names": ["up", "fire"]}, ("up", "fire")),
        (
            spaces.MultiDiscrete([3, 2]),
            {"get_action_meanings": lambda: [["nothing", "left", "right"], ["nothing", "gas"]]},
            ("left", "right", "gas"),
        ),
        (spaces.Discrete(4), {}, ("action 1", "action 2", "action 3")),  # three names for four choices
        (spaces.Discrete(3), {"get_action_meanings": lambda: [1, 2, 3]}, ("action 1", "action 2")),
        (spaces.Discrete(3), {"get_action_meanings": lambda: 1 / 0}, ("action 1", "action 2")),
        (spaces.Discrete(3), {"get_action_meanings": None, "actions": [0, 1, 2]}, ("action 1", "action 2")),
        (spaces.Box(-1, 1, (2,)), {"get_action_meanings": lambda: ["wheel", "pedal"]}, ("wheel", "pedal")),
        (
            spaces.Dict({"buttons": spaces.Discrete(3), "axes": spaces.Box(-1, 1, (1,))}),
            {"get_action_meanings": lambda: {"buttons": ["nothing", "left", "right"], "axes": ["gas"]}},
            ("left", "right", "gas"),
        ),
    ],
)
def test_names_are_those_that_an_environment_tells(space, told, expected):
    assert names(space, **told) == expected


def test_what_ends_the_process_passes():
    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        names(spaces.Discrete(3), get_action_meanings=leave)


def test_keys_are_those_that_a_person_expects_and_each_is_given_once():
    space = ActionSpace(tuple(map(Button, ("turn_left", "right", "jump", "fire", "sing"))), (Axis("wheel"), Axis("pedal")))
    keyed = with_keys(space)
    assert [button.key for button in keyed.buttons] == ["ArrowLeft", "ArrowRight", "Space", "Digit1", "Digit2"]
    assert [axis.keys for axis in keyed.axes] == [("ArrowDown", "ArrowUp"), ("KeyA", "KeyD")]
    assert with_keys(keyed) == keyed and with_keys(ActionSpace(axes=(Axis("a"),))).axes[0].keys == ("ArrowLeft", "ArrowRight")
    many = with_keys(ActionSpace(tuple(Button(f"action {number}") for number in range(1, 12))))
    assert [button.key for button in many.buttons] == [*(f"Digit{number}" for number in range(1, 10)), None, None]


def test_a_recorded_environment_has_them_and_may_be_called_otherwise():
    spec = world_spec(ID, size=8)
    assert [(button.name, button.key) for button in spec.action_space.buttons] == [("left", "ArrowLeft"), ("right", "ArrowRight")]
    called = renamed(spec, ["down=KeyJ", "up"])
    assert [(b.name, b.key, b.group) for b in called.action_space.buttons] == [
        ("down", "KeyJ", "choice"),
        ("up", "ArrowUp", "choice"),
    ]
    rows = np.array([[np.nan, np.nan], [0, 1], [1, 0]], np.float32)
    with open_world(spec) as world, open_world(called) as other:
        assert np.array_equal(run_actions(world, 3, rows), run_actions(other, 3, rows))
    cars = renamed(world_spec("CarRacing-v3", size=8), ["west", "east", "go", "stop"])
    assert list(cars.controls) == ["west", "east", "go", "stop"] and cars.controls["go"] == (0, 0.3, 0)
    open_world(cars).close()


class Rests(Shown):
    """Does nothing by its second action."""

    def get_action_meanings(self):
        return ["left", "noop", "right"]


def test_what_does_nothing_may_stand_anywhere():
    if "Rests-v0" not in gymnasium.registry:
        gymnasium.register("Rests-v0", Rests)
    spec = world_spec("Rests-v0", size=8)
    with open_world(spec) as world:
        shown = [int(world.to_env(spec.action_space.action(name))) for name in ("left", "", "right")]
    assert shown == [0, 1, 2]


@pytest.mark.parametrize(
    ("buttons", "axes", "message"),
    [
        (["jump"], [], "got 1 names of buttons, jump; wanted 2, for left, right in this order"),
        ([], ["wheel"], "got 1 names of axes, wheel; wanted none: it has no axes"),
        (["a=", "b"], [], "got 'a=' as a button; wanted a name, or a name and its key, such as \"left=ArrowLeft\""),
        (["a", "a"], [], "got 2 buttons and 0 axes, a twice; wanted 1 to 256 in all, each with a name of its own"),
        (["a+b", "c"], [], "got 'a\\+b' as the name of a button or axis"),
    ],
)
def test_names_that_do_not_fit_are_refused(buttons, axes, message):
    with pytest.raises(ActionError, match=message):
        renamed(world_spec(ID), buttons, axes)


def test_an_axis_has_two_keys():
    class Wheel(Shown):
        def __init__(self, **options):
            super().__init__(action_space=spaces.Box(-1, 1, (1,)), **options)

    if "Wheel-v0" not in gymnasium.registry:
        gymnasium.register("Wheel-v0", Wheel)
    spec = world_spec("Wheel-v0")
    assert spec.action_space.axes[0].keys == ("ArrowLeft", "ArrowRight")
    assert renamed(spec, axes=["wheel=KeyA, KeyD"]).action_space.axes == (Axis("wheel", ("KeyA", "KeyD"), rest=0.0),)
    with pytest.raises(ActionError, match="got 'wheel=KeyA' as an axis; wanted a name, or a name and two keys, as \"wheel=Arr"):
        renamed(spec, axes=["wheel=KeyA"])
