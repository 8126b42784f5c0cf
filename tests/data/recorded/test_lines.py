"""Lines of `actions.jsonl`: what they say, and what is wrong with them."""

import json

import pytest

from framecast.data import ActionSpace, Axis, Button
from framecast.data.recorded.lines import ActionLine, read_action_lines

SPACE = ActionSpace((Button("gas"),), (Axis("steering", low=-0.3, high=0.3),))


def lines(folder, *rows):
    path = folder / "actions.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return read_action_lines(path)


def test_the_first_line_speaks_for_all_and_each_line_for_itself(tmp_path):
    found = lines(
        tmp_path,
        {"action_space": SPACE.to_json(), "timing": "chosen", "units": "space"},
        {"file": "a.mp4", "actions": "x/a.npy", "rewards": "r.npy", "ends": [False, True], "seed": 7},
        {"file": "./b.mp4", "actions": [[1, 0.5]], "timing": "shown", "units": "own", "action_names": ["gas", "steering"]},
        {"file": "silent.mp4", "caption": "nobody knows"},
    )
    assert found.space == SPACE and found.skipped == {}
    assert found.lines == {
        "a.mp4": ActionLine("a.mp4", "x/a.npy", "r.npy", [False, True], None, "chosen", "space"),
        "b.mp4": ActionLine("b.mp4", [[1, 0.5]], None, None, ("gas", "steering"), "shown", "own"),
    }


def test_a_file_may_begin_with_a_video_at_once(tmp_path):
    found = lines(tmp_path, {"file": "a.mp4", "actions": "a.npy", "action_names": ["steering"]})
    assert found.space is None and found.lines["a.mp4"].names == ("steering",)


@pytest.mark.parametrize(
    ("row", "where", "message"),
    [
        ("{", "actions.jsonl line 2", "wanted {"),
        ("[]", "actions.jsonl line 2", "got .*; wanted {"),
        ({"file": "../a.mp4", "actions": "a.npy"}, "actions.jsonl line 2", "leads out of the folder"),
        ({"file": "a.mp4", "actions": "/etc/a.npy"}, "a.mp4", "leads out of the folder"),
        ({"file": "a.mp4", "actions": 3}, "a.mp4", 'got 3 as "actions"; wanted the path of a file below the folder, or a list'),
        ({"file": "a.mp4", "actions": [], "timing": "late"}, "a.mp4", "got timing 'late'; wanted \"shown\""),
        ({"file": "a.mp4", "actions": [], "units": "mm"}, "a.mp4", "got units 'mm'; wanted \"own\""),
        ({"file": "a.mp4", "actions": [], "action_names": "x"}, "a.mp4", 'as "action_names"; wanted a list of names'),
        ({"file": "first.mp4", "actions": []}, "first.mp4", "has actions twice; keep one line per file"),
    ],
)
def test_a_line_that_cannot_be_used_names_its_video(tmp_path, row, where, message):
    found = lines(tmp_path, {"file": "first.mp4", "actions": []}, row)
    assert list(found.skipped) == [where]
    with pytest.raises(ValueError, match=message):
        raise ValueError(found.skipped[where])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"action_space": {"axes": [{"name": "x", "low": 2}]}}, "actions.jsonl line 1: got axis 'x' from 2 to 1"),
        ({"space": {}}, 'actions.jsonl line 1: got no "file"'),
        ({"timing": "now"}, "actions.jsonl line 1: got timing 'now'"),
    ],
)
def test_a_first_line_that_cannot_be_used_is_an_error(tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        lines(tmp_path, row)
    with pytest.raises(ValueError, match="is not a file; give one JSON object per line"):
        read_action_lines(tmp_path / "gone.jsonl")
