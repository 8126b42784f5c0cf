"""What streams are told of what is held, as one takes the place of another: the page's own module, run by node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
PAGE = Path(__file__).resolve().parents[3] / "serve" / "page"
pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the path")

SCRIPT = """
const anything = () => new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : name === "querySelectorAll" ? () => [] : anything()),
  apply: () => anything(), construct: () => anything(), set: () => true,
});
Object.assign(globalThis, { document: anything(), requestAnimationFrame: () => 0, cancelAnimationFrame: () => {} });
const { Controls } = await import("PAGE/controls.js");
const space = {
  buttons: [{ name: "left", key: "ArrowLeft", group: "turn" }],
  axes: [{ name: "gas", keys: ["ArrowDown", "ArrowUp"], low: -1, high: 1, rest: 0 }],
};
const nothing = { buttons: [], axes: {} }, told = {};
const target = { closest: () => null };
const key = (code, repeat = false) => ({ code, repeat, key: code, timeStamp: performance.now(), target });
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const play = async (name, steps) => {
  const sent = (told[name] = []);
  const stream = (name, holds) => ({
    holds,
    control(held) { this.holds = held; sent.push([name, held.buttons.join("+"), held.axes.gas ?? null]); },
  });
  await steps(new Controls(space), stream);
  await wait(60);
};
await wait(50);
await play("branched", (controls, stream) => {
  controls.use(stream("parent", nothing));
  controls.press(key("ArrowLeft"));
  controls.use(null);
  controls.use(stream("branch", null));
  controls.press(key("ArrowLeft", true));
  controls.lift(key("ArrowLeft"));
});
await play("resumed", (controls, stream) => {
  const only = stream("only", nothing);
  for (const each of [only, null, only]) controls.use(each);
});
await play("paused", (controls, stream) => {
  const only = stream("only", nothing);
  controls.use(only);
  controls.press(key("ArrowUp"));
  controls.use(null);
});
await play("brief", (controls, stream) => {
  controls.use(stream("before", null));
  controls.press(key("ArrowUp"));
  controls.use(stream("after", nothing));
});
const counted = (told.counted = []);
await play("rested", (controls) => {
  const clocks = [];
  const only = { holds: nothing, control: (held, clock) => clocks.push(clock) };
  controls.use(only);
  const see = () => {
    const clock = clocks.at(-1);
    only.oncontrol({ id: clock, clock }, clock + 10);
    counted.push(controls.meter.times.length);
  };
  controls.press(key("ArrowLeft"));
  see();
  controls.use(null); // a pause, which lets go
  controls.use(only);
  see();
  controls.press(key("ArrowLeft"));
  see();
});
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def told() -> dict:
    command = [str(NODE), "--input-type=module", "--eval", SCRIPT.replace("PAGE", PAGE.as_posix())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_branch_is_told_that_a_key_is_up(told):
    assert told["branched"] == [["parent", "left", None], ["parent", "", None], ["branch", "", None]]


def test_a_stream_that_holds_the_same_is_told_nothing(told):
    assert told["resumed"] == []


def test_what_a_pause_lets_go_is_no_key_to_be_measured(told):
    assert told["counted"] == [1, 1, 2]


def test_an_axis_is_let_go_before_its_stream_is(told):
    assert told["paused"] == [["only", "", 1], ["only", "", None]]
    assert told["brief"] == [["before", "", None]], "a press that was still to be told, and was let go"
