"""A held-out recording is cut into starts; its environment is run again if it shows what was recorded."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny_bundle
import tiny_world
import torch
from played_worlds import SETTINGS, SPACE
from ring_env import RingEnv, write_recording
from video_folders import write_captions

from framecast.data import ActionSpace, Axis, Button, VideoFolder, write_lerobot, write_video
from framecast.evaluate import suite
from framecast.evaluate.worlds import recording as recording_file
from framecast.evaluate.worlds.recording import held_out_recording, lessons
from framecast.notices import Stopped
from framecast.sample import load_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("ring") / "recorded")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    lm = tiny_world.lm(num_actions=SPACE.size)
    return load_bundle(tiny_world.save(tmp_path_factory.mktemp("ring") / "bundle", lm=lm, action_space=SPACE))


def test_starts_have_what_was_done_and_the_truth_runs_again(folder, bundle):
    found = held_out_recording(bundle, replace(SETTINGS, world=str(folder)))
    assert found.truth is not None and found.truth.name == "Ring-v0" and "is run again" in found.about
    assert (found.given, found.made) == (17, 16) and len(found.starts) == 4 and len(found.others) == 2
    for start in found.starts:
        assert len(start.rows) == 33 and not np.isnan(start.played).any()
        torch.testing.assert_close(found.truly(start, start.played), start.future, atol=12, rtol=0)
        other = found.truly(start, found.another(found.starts.index(start)).played)
        assert other.shape == start.future.shape and not torch.equal(other, start.future)
    assert len({start.file for start in found.few(3)}) == 3


def test_the_environment_is_given_up_if_it_shows_something_else(folder, bundle, tmp_path):
    other = write_recording(tmp_path / "other", episodes=3)
    lines = [json.loads(line) for line in (other / "actions.jsonl").read_text().splitlines()]
    text = "".join(json.dumps({**line, "seed": line["seed"] + 1} if "seed" in line else line) + "\n" for line in lines)
    (other / "actions.jsonl").write_text(text)
    found = held_out_recording(bundle, replace(SETTINGS, world=str(other)))
    assert found.truth is None and "shows something else" in found.about
    video, lm = {**tiny_world.VIDEO, "fps": 6.0}, tiny_world.lm(num_actions=SPACE.size)
    slow = load_bundle(tiny_world.save(tmp_path / "slow", lm=lm, action_space=SPACE, video=video))
    assert "has 12 frames/s and the bundle 6" in held_out_recording(slow, replace(SETTINGS, world=str(folder))).about


@pytest.mark.parametrize("ends", [Stopped(143), KeyboardInterrupt(), ValueError("no")])
def test_an_environment_is_closed_whatever_ends_the_reading(folder, bundle, monkeypatch, ends):
    closed = []
    monkeypatch.setattr(RingEnv, "close", lambda self: closed.append(1), raising=False)
    settings = replace(SETTINGS, world=str(folder))
    held_out_recording(bundle, settings).truth.close()
    assert closed == [1]

    def stop(*_):
        raise ends

    monkeypatch.setattr(recording_file, "_checked_truth", stop)
    with pytest.raises(type(ends)):
        held_out_recording(bundle, settings)
    assert closed == [1, 1]
    monkeypatch.setattr(recording_file, "_checked_truth", lambda *_: (None, "It shows something else."))
    assert held_out_recording(bundle, settings).truth is None and closed == [1, 1, 1]


@pytest.mark.parametrize("ends", [Stopped(143), KeyboardInterrupt()])
def test_an_environment_is_closed_whatever_ends_the_evaluation(folder, bundle, tmp_path, monkeypatch, ends):
    closed = []
    monkeypatch.setattr(RingEnv, "close", lambda self: closed.append(1), raising=False)

    def section(study, progress):
        assert study.recording.truth is not None
        raise ends

    monkeypatch.setitem(suite.SECTIONS, "return-world", section)
    with pytest.raises(type(ends)):
        suite.evaluate_bundles([bundle.path], tmp_path / "out", replace(SETTINGS, world=str(folder)), ["return-world"])
    assert closed == [1]


def test_videos_with_actions_and_no_environment_have_the_recorded_truth_alone(bundle, tmp_path):
    write_video(tmp_path / "a.mkv", tiny_bundle.frames(40).numpy(), 12.0)
    rows = np.zeros((40, 2))
    rows[5:20, 1] = 1
    lines = [{"action_space": SPACE.to_json()}, {"file": "a.mkv", "actions": rows.tolist()}]
    (tmp_path / "actions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = held_out_recording(bundle, replace(SETTINGS, world=str(tmp_path)))
    assert found.truth is None and "no environment to run again" in found.about
    assert len(found.starts) == 1 and found.truly(found.starts[0], found.starts[0].played) is None
    assert found.another(0) is found.starts[0], "there is no other"


def test_actions_may_lie_elsewhere_and_axes_count_as_in_training(tmp_path):
    space = ActionSpace((), (Axis("steering", low=-2.0, high=2.0),))
    lm = tiny_world.lm(num_actions=1)
    car = load_bundle(tiny_world.save(tmp_path / "car", lm=lm, action_space=space))
    (tmp_path / "videos").mkdir()
    rows = np.linspace(0, 1, 40)[:, None]
    write_video(tmp_path / "videos" / "a.mkv", tiny_bundle.frames(40).numpy(), 12.0)
    line = {"file": "a.mkv", "caption": "", "actions": rows.tolist(), "action_names": ["steering"]}
    (tmp_path / "videos" / "captions.jsonl").write_text(json.dumps(line) + "\n")
    settings = replace(SETTINGS, world=str(tmp_path / "videos"), actions="captions.jsonl", action_delay=3)
    [start] = held_out_recording(car, settings).starts
    np.testing.assert_allclose(start.rows[4:, 0], rows[1 : 1 + len(start.rows) - 4, 0] / 2, atol=1e-6)


def test_a_dataset_of_lerobot_is_a_recording(folder, bundle, tmp_path):
    source = VideoFolder(str(folder), 40, (tiny_bundle.HEIGHT, tiny_bundle.WIDTH), 12.0)
    write_lerobot(tmp_path / "robot", source)
    found = held_out_recording(bundle, replace(SETTINGS, world=str(tmp_path / "robot")))
    assert found.space.names == SPACE.names and len(found.starts) == 4 and found.truth is None
    assert found.starts[0].file.startswith("episode ")


def test_what_cannot_be_played_is_said(folder, bundle, tmp_path):
    settings = replace(SETTINGS, world=str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="nowhere, which is no folder; wanted a recording with actions"):
        held_out_recording(bundle, settings)
    write_video(tmp_path / "a.mkv", tiny_bundle.frames(40).numpy(), 12.0)
    write_captions(tmp_path, {"file": "a.mkv", "caption": "noise"})
    with pytest.raises(ValueError, match=r"whose videos have no actions; wanted an `actions.jsonl`"):
        held_out_recording(bundle, replace(SETTINGS, world=str(tmp_path)))
    jumps = load_bundle(
        tiny_world.save(tmp_path / "b", lm=tiny_world.lm(num_actions=1), action_space=ActionSpace((Button("jump"),)))
    )
    with pytest.raises(ValueError, match=r"turn left, turn right, and .* takes jump; wanted a recording of the world"):
        held_out_recording(jumps, replace(SETTINGS, world=str(folder)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_file, "_is_known", lambda *_: False)
        with pytest.raises(ValueError, match="of which every action is known; record more"):
            held_out_recording(bundle, replace(SETTINGS, world=str(folder)))
    with pytest.raises(ValueError, match=r"got --actions a.jsonl and no --world; wanted the recording"):
        replace(SETTINGS, actions="a.jsonl")


def test_videos_that_were_trained_on_are_left_out(folder, bundle, monkeypatch):
    settings = {"class": "VideoFolder", "root": folder.name, "include": ["*0.mkv", "*1.mkv"], "exclude": []}
    monkeypatch.setitem(bundle.training, "source", "VideoFolder")
    monkeypatch.setitem(bundle.training, "settings", settings)
    found = held_out_recording(bundle, replace(SETTINGS, world=str(folder)))
    assert {start.file[-5] for start in found.starts} <= set("2345")
    assert "was trained on 2 of these 6 videos" in found.about and "Those are left out." in found.about


def test_a_judge_learns_from_a_further_recording_that_is_another(folder, bundle, tmp_path):
    assert lessons(bundle, replace(SETTINGS, world=str(folder))) == ()
    further = write_recording(tmp_path / "further", episodes=3)
    found = lessons(bundle, replace(SETTINGS, world=str(folder), judge=str(further)))
    assert len(found) == 3 and all(len(each.frames) == len(each.actions) == 33 for each in found)
    with pytest.raises(ValueError, match=r"got --judge .*nowhere, which is no folder; wanted a recording of that world"):
        lessons(bundle, replace(SETTINGS, world=str(folder), judge=str(tmp_path / "nowhere")))
    for shared in (folder, folder.parent):
        with pytest.raises(ValueError, match=r"which shares videos with --world .*; wanted another recording: a judge must not"):
            lessons(bundle, replace(SETTINGS, world=str(folder), judge=str(shared)))
    (tmp_path / "bare").mkdir()
    write_video(tmp_path / "bare" / "a.mkv", tiny_bundle.frames(40).numpy(), 12.0)
    with pytest.raises(ValueError, match=r"got --judge .*bare, whose videos have no actions; wanted an `actions.jsonl`"):
        lessons(bundle, replace(SETTINGS, world=str(folder), judge=str(tmp_path / "bare")))
    with pytest.raises(ValueError, match=r"got --judge a and no --world; wanted the recording that the judge shall judge on"):
        replace(SETTINGS, judge="a")


def test_starts_of_one_video_are_of_one_group_if_there_are_enough_videos(folder, bundle):
    found = held_out_recording(bundle, replace(SETTINGS, world=str(folder)))
    assert found.groups == [0, 1, 2, 3] and "4 moments of 4 recorded videos" in found.about
    twice = replace(found, starts=(*found.starts, found.starts[1]))
    assert twice.groups == [0, 1, 2, 3, 1]
    two = replace(found, starts=(found.starts[0], found.starts[1], found.starts[1]))
    assert two.groups == [0, 1, 2], "two videos are too few to draw"
