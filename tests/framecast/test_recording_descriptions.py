"""What `framecast info` says of folders with actions."""

import json

import numpy as np
import pytest
import torch

from framecast.data import ActionSpace, Axis, Button, Caption, CaptionedClip, write_lerobot
from framecast.data.worlds import RecordingWriter
from framecast.descriptions import describe
from framecast.recording_descriptions import describe_recording, describe_space

SPACE = ActionSpace(
    (Button("left", group="turn"), Button("right", group="turn"), Button("gas")), (Axis("wheel", low=-2, high=2),)
)


def episode(count: int) -> dict:
    actions = np.zeros((count, 4), np.float32)
    return {
        "frames": np.zeros((count, 16, 16, 3), np.uint8),
        "actions": actions,
        "rewards": np.arange(count),
        "ends": actions[:, 0],
    }


def test_a_recording_says_what_can_be_done_and_what_was(tmp_path):
    with RecordingWriter(
        tmp_path / "world", SPACE, fps=12.5, about={"policy": "held", "seed": 3, "caption": "", "on": {"left": 0.7}}
    ) as writer:
        writer.add(**episode(4))
        writer.add(**episode(6))
    np.save(tmp_path / "world/episode_00001.ends.npy", np.ones(3))
    rows = dict(describe(str(tmp_path / "world")))
    assert rows == {
        "recording": str(tmp_path / "world"),
        "world": "a session of play",
        "frames/s": "12.5",
        "played": "policy held, seed 3, on left 0.7",
        "videos with actions": "1, 4 rows",
        "buttons": "left or right, gas",
        "axes": "wheel -2 to 2",
        "rewards": "of 1 video, 6 in all of a video",
        "ends": "of 1 video, 0 of which end",
        "cannot be used": "1: episode_00001.mp4: got 3 ends for 6 rows of actions; wanted as many",
    }


def test_keys_are_told_beside_what_they_hold():
    space = ActionSpace((Button("left", "ArrowLeft"), Button("gas")), (Axis("wheel", ("KeyA", "KeyD")),))
    assert describe_space(space) == [("buttons", "left (ArrowLeft), gas"), ("axes", "wheel -1 to 1 (KeyA, KeyD)")]


def test_captions_that_name_actions_are_enough(tmp_path):
    lines = [{"file": "a.mp4", "caption": "", "actions": [[0.2], [-0.3]], "action_names": ["steering"]}, {"file": "b.mp4"}]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = dict(describe(str(tmp_path)))
    assert rows["videos with actions"] == "1, 2 rows" and rows["axes"] == (
        "steering -0.3 to 0.3 (ArrowLeft, ArrowRight), ranges of these videos"
    )


def test_a_dataset_of_lerobot_says_its_cameras_and_actions(tmp_path):
    frames = torch.zeros(3, 16, 16, 3, dtype=torch.uint8)
    clip = CaptionedClip(frames, (Caption(0, "wave"),), 10.0, "a", actions=torch.zeros(3, 4))
    write_lerobot(tmp_path / "robot", [clip], action_space=SPACE)
    assert dict(describe(str(tmp_path / "robot"))) == {
        "LeRobotDataset": f"{tmp_path / 'robot'}, version v3.0",
        "episodes": "1, 3 frames at 10 frames/s",
        "cameras": "observation.images.view",
        "actions": "left, right, gas, wheel",
    }


def test_a_folder_that_says_nothing_of_actions_is_left_to_others(tmp_path):
    assert describe_recording(tmp_path) is None
    (tmp_path / "captions.jsonl").write_text('{"file": "a.mp4", "caption": "a dog"}\n')
    assert describe_recording(tmp_path) is None
    (tmp_path / "actions.jsonl").write_text(json.dumps({"action_space": SPACE.to_json()}))
    (tmp_path / "recording.json").write_text("[]")
    with pytest.raises(ValueError, match=r"recording.json cannot be read .*; record anew, or remove it"):
        describe_recording(tmp_path)
