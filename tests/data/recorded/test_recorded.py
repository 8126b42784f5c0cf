"""The actions of a folder: which space they have, and which videos cannot be used."""

import json

import numpy as np
import pytest

from framecast.data import ActionError, ActionSpace, Axis, Button
from framecast.data.recorded import RecordedActions, read_action_lines, read_space

SPACE = ActionSpace((Button("gas"),), (Axis("steering", low=-0.5, high=0.5),))


def recorded(folder, *rows, space=None, delay=0, files=("a.mp4", "b.mp4", "c.mp4")):
    (folder / "actions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return RecordedActions(folder, read_action_lines(folder / "actions.jsonl"), files, space, delay)


def line(name, rows, **more):
    return {"file": f"{name}.mp4", "actions": rows, **more}


def test_a_stated_space_maps_numbers_and_a_delay_moves_them(tmp_path):
    rows = [[0, 0.1], [1, 0.25], [1, -0.5], [0, 0]]
    first = line("a", rows, rewards=[0, 1, 2, 3], ends=[0, 0, 0, 1])
    found = recorded(tmp_path, {"action_space": SPACE.to_json()}, first, delay=1)
    assert found.space == SPACE and not found.derived and found.skipped == {}
    steps = found.steps("a.mp4")
    np.testing.assert_allclose(steps.actions, [[np.nan] * 2, [0, 0.2], [1, 0.5], [1, -1]], atol=1e-7)
    assert steps.rewards.tolist()[1:] == [1, 2, 3] and steps.ends.tolist() == [False, False, False, True]
    assert found.steps("b.mp4") is None and found.summary() == "actions of 1 files: gas, steering"


def test_the_space_that_is_given_comes_before_the_stated_one(tmp_path):
    wide = ActionSpace((Button("gas"),), (Axis("steering"),))
    found = recorded(tmp_path, {"action_space": SPACE.to_json()}, line("a", [[0, 0], [1, 0.5]]), space=wide)
    assert found.space == wide and found.steps("a.mp4").actions[1].tolist() == [1, 0.5]


def test_numbers_without_a_space_have_the_range_of_the_folder(tmp_path):
    names = {"action_names": ["steering", "gas"]}
    found = recorded(tmp_path, names, line("a", [[0, 0], [0.1, 1]]), line("b", [[0, 1], [-0.2, 0]]), line("d", [[9, 0]]))
    assert found.derived and (found.space.axes[0].low, found.space.axes[0].high) == (-0.2, 0.2)
    assert found.steps("a.mp4").actions[1].tolist() == [1, 0.5]
    assert "no space is stated; ranges of these files: steering -0.2 to 0.2" in found.summary()


def test_the_names_of_most_videos_are_taken(tmp_path):
    car, arm = {"action_names": ["steering"]}, {"action_names": ["elbow", "wrist"]}
    found = recorded(tmp_path, line("a", [[0, 1]], **arm), line("b", [[0], [1]], **car), line("c", [[0], [-1]], **car))
    assert found.space.names == ("steering",) and len(found) == 2
    why = "got actions with elbow, wrist, which the space has not; wanted steering; name these files apart"
    assert found.skipped["a.mp4"].startswith(why)


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ([[0, 0], [2, 0]], {}, "gas 2 in row 1; wanted 0 or 1, it is a button"),
        ([[0, 0.9]], {}, "steering 0.9 in row 0; wanted -0.5 to 0.5"),
        ([[0, None]], {}, "without a number for steering in row 0"),
        ([[0, 0]], {"rewards": [1, 2]}, "got 2 rewards for 1 rows of actions; wanted as many"),
        ([[0, 0]], {"rewards": [float("inf")]}, "got rewards without end"),
        ([[0, 0]], {"ends": [0.5]}, "got ends that are neither 0 nor 1"),
        ([[0, 0]], {"ends": "ends.npy"}, "ends.npy cannot be read"),
        ("gone.csv", {}, "gone.csv cannot be read"),
    ],
)
def test_a_video_whose_actions_cannot_be_used_is_named(tmp_path, rows, more, message):
    found = recorded(tmp_path, {"action_space": SPACE.to_json()}, line("a", rows, **more), line("b", [[1, 0.5]]))
    assert list(found.skipped) == ["a.mp4"] and "a.mp4" not in found and "b.mp4" in found
    with pytest.raises(ValueError, match=message):
        raise ValueError(found.skipped["a.mp4"])


def test_actions_without_names_and_space_say_what_to_state(tmp_path):
    found = recorded(tmp_path, line("a", [[0, 0]]))
    assert found.space is None and len(found) == 0 and found.summary() == ""
    assert 'state "action_names" or an "action_space" in the first line' in found.skipped["a.mp4"]
    found = recorded(tmp_path, line("a", [[0, 0]], action_names=["x", "x"]))
    assert "got actions x, x, which make no action space; state" in found.skipped["a.mp4"]


def test_rows_and_frames_that_differ_in_number_are_named(tmp_path):
    found = recorded(tmp_path, {"action_space": SPACE.to_json()}, line("a", [[1, 0.5]] * 3))
    assert found.mismatch("a.mp4", 3) is None and found.mismatch("b.mp4", 9) is None
    assert "has 4 frames and 3 rows of actions; wanted a row for each frame" in found.mismatch("a.mp4", 4)


def test_a_space_may_be_a_file(tmp_path):
    (tmp_path / "space.json").write_text(json.dumps(SPACE.to_json()))
    (tmp_path / "config.json").write_text(json.dumps({"lm": {}, "action_space": SPACE.to_json()}))
    (tmp_path / "none.json").write_text("[1]")
    assert read_space(None) is None
    for given in (SPACE, SPACE.to_json(), tmp_path / "space.json", str(tmp_path / "config.json")):
        assert read_space(given) == SPACE
    with pytest.raises(ActionError, match="as an action space; wanted"):
        read_space(tmp_path / "none.json")
    with pytest.raises(ValueError, match=r"gone.json as an action space .*; wanted a JSON file of one"):
        read_space(tmp_path / "gone.json")
