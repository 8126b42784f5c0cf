"""What is held, by keys, fingers and gamepads: the page's own modules, run by node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
PAGE = Path(__file__).resolve().parents[3] / "serve" / "page"
pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the path")

SPACE = {
    "buttons": [
        {"name": "left", "key": "ArrowLeft", "group": "turn"},
        {"name": "right", "key": "ArrowRight", "group": "turn"},
        {"name": "gas", "key": "ArrowUp", "group": None},
        {"name": "fire", "key": "Space", "group": None},
        {"name": "wave", "key": None, "group": None},
    ],
    "axes": [{"name": "wheel", "keys": ["KeyA", "KeyD"], "low": -1, "high": 1, "rest": 0}],
}
SCRIPT = """
import { Hand, keyLabel, keyName } from "PAGE/hand.js";
import { readGamepad } from "PAGE/gamepad.js";
import { Meter, keyToPicture } from "PAGE/meter.js";
const space = SPACE, told = {};
const play = (name, steps) => {
  const hand = new Hand(space);
  told[name] = [];
  hand.onchange = (held, time) => told[name].push([held.buttons.join("+"), held.axes.wheel ?? null, time]);
  steps.forEach(([what, from, name, value], time) => hand[what](...(name ? [from, name, time, value] : [from ?? time, time])));
};
play("newest", [["press", "ArrowLeft"], ["press", "ArrowRight"], ["lift", "ArrowRight"], ["lift", "ArrowLeft"]]);
play("together", [["press", "ArrowUp"], ["press", "ArrowLeft"], ["press", "Space"], ["lift", "ArrowUp"]]);
play("repeated", [["press", "ArrowUp"], ["press", "ArrowUp"], ["lift", "KeyZ"], ["press", "KeyZ"], ["lift", "ArrowUp"]]);
play("axis", [["press", "KeyA"], ["press", "KeyD"], ["lift", "KeyD"], ["lift", "KeyA"]]);
play("slider", [["hold", "s", "wheel", 0.25], ["hold", "s", "wheel", 0.5], ["press", "KeyA"], ["release", "s"], ["clear"]]);
play("fingers", [["hold", "p1", "gas"], ["hold", "p2", "gas"], ["release", "p1"], ["release", "p2"]]);
play("cleared", [["press", "ArrowLeft"], ["press", "Space"], ["clear"], ["lift", "Space"]]);
const pad = (axes, down) => ({ axes, buttons: [...Array(17).keys()].map((place) => ({ value: down.includes(place) ? 1 : 0 })) });
const plain = { ...space, axes: [] };
told.gamepad = [
  readGamepad(pad([0.05, 0], []), space), readGamepad(pad([-0.62, 0], [15, 0]), space),
  readGamepad(pad([-1, -1], [1]), plain), readGamepad({ axes: [], buttons: [] }, space),
];
const meter = new Meter();
told.words = [keyToPicture(meter)];
for (let id = 0; id < 20; id++) for (const later of [0, 100]) meter.count({ id, clock: 1000 * id }, 1000 * id + 10 * id + later);
told.words.push(keyToPicture(meter), meter.times.length);
told.labels = ["ArrowLeft", "KeyA", "Digit1", "Space", "ShiftLeft", "Numpad4", "KeyL"].map(keyLabel);
told.names = ["ArrowUp", "KeyA"].map(keyName);
told.knows = ["KeyA", "KeyB"].map((code) => new Hand(space).knows(code));
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def told() -> dict:
    script = SCRIPT.replace("PAGE", PAGE.as_posix()).replace("SPACE", json.dumps(SPACE))
    command = [str(NODE), "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def held(told: dict, name: str) -> list:
    return [(buttons, wheel) for buttons, wheel, _ in told[name]]


def test_of_keys_that_exclude_each_other_the_newest_counts(told):
    assert held(told, "newest") == [("left", None), ("right", None), ("left", None), ("", None)]
    assert [time for *_, time in told["newest"]] == [0, 1, 2, 3]


def test_other_keys_are_held_together(told):
    assert [buttons for buttons, _ in held(told, "together")] == ["gas", "gas+left", "fire+gas+left", "fire+left"]


def test_nothing_is_told_twice(told):
    assert [(buttons, time) for buttons, _, time in told["repeated"]] == [("gas", 0), ("", 4)]


def test_axes_are_pushed_by_keys_and_by_a_slider(told):
    assert [wheel for _, wheel in held(told, "axis")] == [-1, 1, -1, None]
    assert [wheel for _, wheel in held(told, "slider")] == [0.25, 0.5, -1, None]


def test_two_fingers_on_one_button(told):
    assert [(buttons, time) for buttons, _, time in told["fingers"]] == [("gas", 0), ("", 3)]


def test_all_is_let_go(told):
    assert [buttons for buttons, _ in held(told, "cleared")] == ["left", "fire+left", ""]


def test_gamepad_moves_axes_and_stands_for_buttons(told):
    resting, both, stick, empty = told["gamepad"]
    assert resting == empty == []
    assert both == [["right", 1], ["fire", 1], ["wheel", -0.6]]
    assert stick == [["left", 1], ["gas", 1], ["wave", 1]]


def test_meter_counts_the_first_frame_of_each_control(told):
    nothing, words, count = told["words"]
    assert (nothing, count) == ("", 20)
    assert words == " · key to picture 90 ms, 95 % within 180 ms"


def test_keys_have_names(told):
    assert told["labels"] == ["←", "A", "1", "Space", "Shift", "Num 4", "L"]
    assert told["names"] == ["Up arrow", "A"] and told["knows"] == [True, False]
