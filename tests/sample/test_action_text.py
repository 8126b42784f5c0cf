"""Actions as text and in files, frame by frame."""

import json

import numpy as np
import pytest
import tiny_world
from tiny_world import PROMPT, SPACE

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.sample.action_files import read_actions
from framecast.sample.action_text import parse_actions


def told(text: str) -> list[str]:
    return [SPACE.describe(row) for row in parse_actions(text, SPACE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("left", ["left"]),
        ("left*2 right", ["left", "left", "right"]),
        ("left+gas=0.5*2, nothing", ["left + gas 0.5", "left + gas 0.5", "nothing"]),
        ("gas unknown*1", ["gas 1", "unknown"]),
        ("  gas=-1 ", ["gas -1"]),
    ],
)
def test_a_text_says_what_is_done_frame_by_frame(text, expected):
    assert told(text) == expected


def test_names_may_have_blanks():
    space = ActionSpace((Button("turn left"), Button("nothing")), (Axis("a*b"),))
    assert parse_actions("turn_left*2 nothing", space).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert parse_actions("turn left", space).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            'got the actions "", which names no action; wanted parts such as "left\\*8 nothing\\*4", with names among',
        ),
        ("left*", 'got the actions "left\\*", in which no action and its number of frames can be read'),
        ("left*0", "in which no action and its number of frames can be read"),
        ("gas=fast", 'got the actions "gas=fast", in which a number cannot be read'),
        ("gas=2", "got an action with gas 2 in row 0; wanted -1 to 1"),
        ("left+right", "got an action with left and right at once"),
        ("jump*3", "got jump, which this world has not"),
        ("left*2000000", "got actions for more than 1,048,576 frames; wanted fewer"),
    ],
)
def test_a_text_that_says_nothing_is_refused(text, message):
    with pytest.raises(ActionError, match=message):
        parse_actions(text, SPACE)


def test_files_say_what_a_text_says(tmp_path):
    rows = parse_actions("unknown left*2 gas=0.5", SPACE)
    np.save(tmp_path / "a.npy", rows)
    (tmp_path / "a.csv").write_text("gas,left,right\n,,\n0,1,0\n0,1,0\n0.5,0,0\n")
    lines = [None, "left", {"buttons": ["left"]}, {"frame": 3, "action": {"buttons": [], "axes": {"gas": 0.5}}}]
    log = [{"action_space": SPACE.to_json(), "seed": 0}, *lines]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "a.ndjson").write_text("\n".join(map(json.dumps, log)) + "\n")
    for name in ("a.npy", "a.csv", "a.jsonl", "a.ndjson"):
        np.testing.assert_array_equal(read_actions(tmp_path / name, SPACE), rows)


def test_a_token_file_says_what_was_done(tmp_path):
    running = tiny_world.generator().stream(PROMPT, actions="left*2 gas=0.5")
    running.record(tmp_path / "a.fct")
    for _ in range(3):
        running.advance()
    running.close()
    rows = read_actions(tmp_path / "a.fct", SPACE)
    np.testing.assert_array_equal(rows, parse_actions("unknown left*2 gas=0.5*2", SPACE))
    with pytest.raises(ActionError, match=r"a\.fct: got a token file with actions of ActionSpace.* the world of this model"):
        read_actions(tmp_path / "a.fct", ActionSpace((Button("left"),)))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('"left"\n{"up": 1}\n')
    with pytest.raises(ActionError, match=r"a\.jsonl: got line 2 \(got up, which this world has not"):
        read_actions(tmp_path / "a.jsonl", SPACE)
    with pytest.raises(ActionError, match=r"cannot read the actions of .*b\.npy"):
        read_actions(tmp_path / "b.npy", SPACE)
    (tmp_path / "c.jsonl").write_text("\n")
    with pytest.raises(ActionError, match="got no line of an action; wanted one for each frame"):
        read_actions(tmp_path / "c.jsonl", SPACE)
