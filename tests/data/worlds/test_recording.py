"""Recordings: what is written is read back and runs again; what fails keeps what was whole; what stopped goes on."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from small_worlds import ID, action_shown

import framecast.data.worlds.recorder as recorder_module
from framecast.data import ActionError, ActionSpace, Axis, Button, VideoFolder
from framecast.data.worlds import (
    Play,
    PolicyError,
    Recording,
    RecordingWriter,
    WorldError,
    WorldSpec,
    default_play,
    record,
    replay_episode,
    world_spec,
)
from framecast.data.worlds.environments import World
from framecast.data.worlds.playing import play_episode
from framecast.data.worlds.recording import Episode
from framecast.data.worlds.workers import Death
from framecast.notices import Notice, Stopped

PLAY = Play("held", seed=4, max_frames=6, caption="a dot", hold=0.1)
PAD = ActionSpace((Button("jump"),), (Axis("wheel", low=-0.3, high=0.3),))


@pytest.fixture(scope="module")
def spec() -> WorldSpec:
    return world_spec(ID, size=16, fps=12)


@pytest.fixture(scope="module")
def recorded(spec, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "new" / "folder"
    list(record(folder, spec, PLAY, episodes=3, lossless=True))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """What was recorded; a training puts an index beside it."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def broken(spec: WorldSpec, **kwargs) -> WorldSpec:
    return world_spec(spec.env_id, size=spec.size, fps=spec.fps, kwargs=kwargs)


def episode(count: int = 4) -> dict:
    rng = np.random.default_rng(count)
    rows = np.stack([rng.integers(0, 2, count), rng.uniform(-1, 1, count)], 1).astype(np.float32)
    rows[0] = np.nan
    return {"frames": rng.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8), "actions": rows}


def test_a_recording_says_all_that_runs_it_again(recorded, spec):
    recording = Recording(recorded)
    assert (recording.spec, recording.space, recording.fps) == (spec, spec.action_space, 12)
    assert recording.about == {"policy": "held", "seed": 4, "max_frames": 6, "caption": "a dot", "hold": 0.1, "on": {}}
    assert recording.summary() == f"3 episodes, 18 frames, 0.0 min at 12 fps, of {ID} with left, right"
    assert [each.name for each in recording] == ["episode_00000", "episode_00001", "episode_00002"]
    assert len({each.seed for each in recording}) == 3 and recording[1:][0].seed == recording[1].seed
    first = recording[0]
    assert np.isnan(first.actions[0]).all() and np.isnan(first.rewards[0]) and not first.ends.any()
    assert (first.caption, first.cut) == ("a dot", None)
    with pytest.raises(IndexError):
        recording[3]


def test_every_episode_runs_again_bit_for_bit(recorded):
    recording = Recording(recorded)
    for each in recording:
        assert np.array_equal(replay_episode(recording.spec, each.seed, each.actions), each.frames())
    others = np.roll(recording[0].actions, 1, axis=1)
    assert not np.array_equal(replay_episode(recording.spec, recording[0].seed, others), recording[0].frames())  # control


def test_frames_show_the_actions_of_their_rows(recorded):
    for each in Recording(recorded):
        assert [action_shown(frame) for frame in each.frames()[1:]] == [int(row @ [1, 2]) for row in each.actions[1:]]
        assert each.rewards[1:].tolist() == [2 * int(row @ [1, 2]) for row in each.actions[1:]]


def test_a_training_reads_the_same_rows(recorded, own_caches):
    source = VideoFolder(recorded, num_frames=6, size=16, fps=12)
    assert source.action_space == Recording(recorded).space
    for clip, each in zip((source[index] for index in range(len(source))), Recording(recorded), strict=True):
        np.testing.assert_array_equal(clip.actions.numpy(), each.actions)
        assert clip.captions[0].text == "a dot"


def test_the_same_seed_records_the_same_bytes_and_another_does_not(recorded, spec, tmp_path):
    list(record(tmp_path / "again", spec, PLAY, episodes=3, lossless=True))
    assert files(tmp_path / "again") == files(recorded)
    list(record(tmp_path / "other", spec, Play(**{**vars(PLAY), "seed": 5}), episodes=1, lossless=True))
    assert files(tmp_path / "other")["episode_00000.mkv"] != files(recorded)["episode_00000.mkv"]


def test_a_recording_that_stopped_goes_on(recorded, spec, tmp_path):
    rows = record(tmp_path, spec, PLAY, episodes=3, lossless=True)
    list(islice(rows, 1))
    rows.close()
    assert len(Recording(tmp_path)) == 1
    with (tmp_path / "actions.jsonl").open("a") as file:  # a crash in the middle of a line
        file.write('{"file": "episode_000')
    (tmp_path / "episode_00001.mkv").write_bytes(b"half")
    with (tmp_path / "captions.jsonl").open("a") as file:
        file.write('{"file": "episode_00001.mkv", "caption": "a dot"}\n')
    list(record(tmp_path, spec, PLAY, episodes=3, lossless=True))
    assert files(tmp_path) == files(recorded)
    assert list(record(tmp_path, spec, PLAY, episodes=2, lossless=True)) == []


class Crew:
    """Processes that are none: of all calls the last is answered first, and the first call for episode 1 by a death."""

    def __init__(self, count, make, arguments):
        self._count, self._play, self._numbers, self._dead = count, make(*arguments), [], set()

    @property
    def has_room(self):
        return len(self._numbers) < self._count

    def call(self, number):
        self._numbers.append(number)

    def results(self):
        number = self._numbers.pop()
        dies = number == 1 and number not in self._dead
        self._dead.add(number)
        yield number, Death(-9) if dies else self._play(number)

    def close(self):
        self._play.close()


def test_episodes_count_in_their_order_whoever_is_ready_first(recorded, spec, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "Workers", Crew)
    with pytest.warns(Notice, match=r"episode_00001 ended in the middle of it \(exit code -9\); the episode is played once more"):
        rows = list(record(tmp_path, spec, PLAY, episodes=3, workers=3, lossless=True))
    assert [row["file"] for row in rows] == [f"episode_0000{n}.mkv" for n in range(3)]
    assert files(tmp_path) == files(recorded)  # also without those that were played beyond


@pytest.mark.slow
def test_several_processes_record_what_one_does_also_if_one_dies(recorded, spec, tmp_path):
    alive = tmp_path / "alive"
    alive.touch()
    dying = broken(spec, dies_at=4, alive=str(alive))
    with pytest.warns(Notice, match=r"episode_0000\d ended in the middle of it \(exit code 3\); the episode is played once more"):
        rows = list(record(tmp_path / "out", dying, PLAY, episodes=3, workers=2, lossless=True))
    assert not alive.exists() and [row["file"] for row in rows] == [f"episode_0000{n}.mkv" for n in range(3)]
    ours, theirs = files(tmp_path / "out"), files(recorded)
    assert ours.pop("recording.json") != theirs.pop("recording.json") and ours == theirs


def test_minutes_count_what_is_whole(spec, tmp_path):
    rows = list(record(tmp_path, broken(spec, ends_at=6), PLAY, minutes=7 / 12 / 60))
    assert [row["num_frames"] for row in rows] == [4, 4]
    last = Recording(tmp_path)[1]
    assert last.ends.tolist() == [False, False, False, True] and last.path.suffix == ".mp4"


def test_an_environment_that_crashes_keeps_the_frames_before(spec, tmp_path):
    crashing = broken(spec, crashes_at=7, fails="long")
    wanted = "episode_0000.: .*the motor is stuck.*; its first 4 frames are kept; the next episode begins in a new environment"
    with pytest.warns(Notice, match=wanted) as said:
        rows = list(record(tmp_path, crashing, PLAY, episodes=2))
    assert len(said) == 2
    assert [row["num_frames"] for row in rows] == [4, 4]
    assert "failed in step after 4 frames of seed" in Recording(tmp_path)[0].cut and len(Recording(tmp_path)[0].cut) < 500
    assert Recording(tmp_path).summary().endswith("; 2 cut off")


@pytest.mark.filterwarnings("ignore::framecast.notices.Notice")
def test_an_environment_that_always_crashes_ends_the_recording(spec, tmp_path):
    with pytest.raises(
        WorldError, match=r"got 3 episodes on end that failed; the last is episode_00002: .*nothing of it is kept"
    ):
        list(record(tmp_path, broken(spec, crashes_at=1), PLAY, episodes=9))
    assert len(Recording(tmp_path)) == 0


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            "small_worlds:Fails",
            r"episode_00000: the policy failed after 5 frames: KeyError: 'nerve'; mend the policy; its",
        ),
        ("small_worlds:Mumbles", "the policy gave no action after 3 frames: got fire, which this world has not"),
        (
            "small_worlds:silent",
            'the policy gave an unknown action after 1 frames; wanted a known one; "" is nothing',
        ),
        (
            "small_worlds:Unborn",
            "episode_00000: the policy cannot be made: LookupError: no weights; mend the policy; nothing of it",
        ),
        ("small_worlds:leaves", "the policy failed after 3 frames: SystemExit: 3; mend the policy; its first 3 frames are kept"),
    ],
)
def test_a_policy_that_fails_is_named_and_what_was_whole_is_kept(spec, tmp_path, policy, message):
    with pytest.raises(PolicyError, match=message):
        list(record(tmp_path, spec, Play(policy, max_frames=9), episodes=2))
    kept = [len(each.actions) for each in Recording(tmp_path)]
    assert kept == {"Fails": [5], "Mumbles": [3], "silent": [], "Unborn": [], "leaves": [3]}[policy.split(":")[1]]


def test_a_policy_that_changes_what_it_gets_changes_nothing_that_is_recorded(spec, tmp_path):
    list(record(tmp_path, spec, Play("small_worlds:scribbles", max_frames=6), episodes=1, lossless=True))
    only = Recording(tmp_path)[0]
    assert only.actions[1:, 0].tolist() == [1, 0, 1, 0, 1]
    assert np.array_equal(replay_episode(spec, only.seed, only.actions), only.frames())


def test_an_environment_that_leaves_or_cannot_be_closed_loses_nothing(spec, tmp_path):
    with pytest.warns(Notice, match="failed in step after 4 frames .*: SystemExit: out; mend"):
        list(record(tmp_path / "exit", broken(spec, crashes_at=7, fails="exit"), PLAY, episodes=1))
    with pytest.warns(Notice, match="failed as it was closed: RuntimeError: the door is stuck; what is recorded is whole"):
        list(record(tmp_path / "close", broken(spec, fails="close"), PLAY, episodes=2))
    assert [len(Recording(tmp_path / name)) for name in ("exit", "close")] == [1, 2]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_environments_are_closed_if_a_recording_ends_in_the_middle(spec, tmp_path, workers):
    marks = tmp_path / "marks"
    marks.mkdir()
    rows = record(tmp_path / "out", replace(spec, kwargs={"marks": str(marks)}), PLAY, episodes=1000, workers=workers)
    with pytest.raises(Stopped), closing(rows):
        for _ in rows:
            raise Stopped(143)
    opened, closed = ({path.name.split("_", 1)[1] for path in marks.glob(f"{what}_*")} for what in ("opened", "closed"))
    assert opened and opened == closed


def test_a_signal_to_end_is_no_failure(spec):
    with World(spec) as world, pytest.raises(Stopped):
        play_episode(world, lambda *_: (_ for _ in ()).throw(Stopped(143)), 1, 9)


def test_a_recording_goes_on_only_as_it_was_begun(recorded, spec):
    for change, message in (
        (
            {"policy": "random"},
            "got policy 'random' for .*, which was begun with 'held'; wanted the same, to go on; or",
        ),
        ({"seed": 1}, "got seed 1 for .*, which was begun with 4"),
    ):
        with pytest.raises(ValueError, match=message):
            list(record(recorded, spec, Play(**{**vars(PLAY), **change}), episodes=4, lossless=True))
    with pytest.raises(ValueError, match=r"got size \[8, 8\] for .*, which was begun with \[16, 16\]"):
        list(record(recorded, world_spec(ID, size=8, fps=12), PLAY, episodes=4, lossless=True))
    with pytest.raises(
        ValueError, match=r"got another environment for .*, 'small_worlds:Other-v0'; it was begun with '.*Shown-v0'"
    ):
        list(record(recorded, replace(spec, env_id="small_worlds:Other-v0", fps=6), PLAY, episodes=4, lossless=True))
    with pytest.raises(ValueError, match=r"got lossless False for .*, which was begun with True"):
        list(record(recorded, spec, PLAY, episodes=4))


def test_a_folder_of_something_else_is_not_written_in(spec, tmp_path):
    (tmp_path / "holiday.mp4").touch()
    with pytest.raises(ValueError, match="which holds other files; wanted a new folder, an empty one, or a recording"):
        list(record(tmp_path, spec, PLAY, episodes=1))
    (tmp_path / "recording.json").write_text("{}")
    with pytest.raises(ValueError, match="is not of a framecast recording of version 1"):
        Recording(tmp_path)
    with pytest.raises(ValueError, match=r"whose recording.json cannot be read"):
        Recording(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "got episodes None and minutes None; wanted one of the two"),
        ({"episodes": 1, "minutes": 1}, "wanted one of the two"),
        ({"episodes": 0}, "got episodes 0; wanted 1 or more"),
        ({"minutes": -1}, "got minutes -1; wanted minutes above 0"),
        ({"minutes": float("inf")}, "got minutes inf; wanted minutes above 0 and at most 10,000,000"),
        ({"minutes": float("nan")}, "got minutes nan; wanted minutes above 0"),
        ({"episodes": 1, "workers": 0}, "got workers 0; wanted 1 to 256 processes"),
    ],
)
def test_limits_that_mean_nothing_are_refused(spec, tmp_path, limits, message):
    with pytest.raises(ValueError, match=message):
        list(record(tmp_path / "new", spec, PLAY, **limits))
    assert not (tmp_path / "new").exists()


def test_play_can_be_recorded_without_an_environment(tmp_path):
    with RecordingWriter(tmp_path, PAD, fps=10, about={"bundle": "abc"}) as writer:
        writer.add(**episode(4), caption="a game")
        writer.add(**episode(5), name="monday", rewards=np.zeros(5), ends=[False] * 5)
        assert writer.names == ("episode_00000", "monday") and writer.num_frames == 9
        with pytest.raises(ValueError, match=r"got an episode monday, which .* has already; wanted a new name"):
            writer.add(**episode(5), name="monday")
    recording = Recording(tmp_path)
    assert recording.spec is None and recording.about == {"bundle": "abc"}
    np.testing.assert_array_equal(recording[0].actions, episode(4)["actions"])
    assert recording[0].rewards is None and recording[1].rewards.tolist() == [0] * 5
    with pytest.raises(WorldError, match="got an episode without an environment or a seed"):
        replay_episode(recording.spec, recording[0].seed, recording[0].actions)
    with RecordingWriter(tmp_path, PAD, fps=10, about={"bundle": "abc"}) as writer:
        writer.add(**episode(3))
    assert len(Recording(tmp_path)) == 3


def test_axes_of_play_reach_a_training_as_they_were(tmp_path, own_caches):
    with RecordingWriter(tmp_path, PAD, fps=10) as writer:
        writer.add(**episode(5))
    source = VideoFolder(tmp_path, num_frames=5, size=16, fps=10)
    np.testing.assert_allclose(source[0].actions.numpy(), episode(5)["actions"], atol=1e-6)


def test_episodes_that_do_not_fit_together_are_refused(tmp_path):
    with RecordingWriter(tmp_path, PAD, fps=10) as writer:
        rows = episode(4)
        with pytest.raises(ValueError, match="got 3 rows of actions for 4 frames; wanted a row for each frame"):
            writer.add(rows["frames"], rows["actions"][:3])
        with pytest.raises(ValueError, match="got an episode of 1 frames; wanted 2 or more"):
            writer.add(rows["frames"][:1], rows["actions"][:1])
        with pytest.raises(ActionError, match="got actions with wheel 3 in row 2"):
            writer.add(rows["frames"], rows["actions"] * 0 + [[0, 0], [0, 0], [0, 3], [0, 0]])
        with pytest.raises(ValueError, match="got 2 rows of rewards for 4 frames"):
            writer.add(**rows, rewards=[0, 0])
    assert len(Recording(tmp_path)) == 0
    with pytest.raises(ValueError, match="got 1 rows of ends"):
        Episode(rows["frames"], rows["actions"], ends=np.zeros(1, bool))


def test_two_processes_do_not_record_in_one_folder(recorded, spec):
    claim = "import fcntl, sys; file = open(sys.argv[1], 'ab'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"
    command = [sys.executable, "-S", "-c", claim, str(recorded / ".recording.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(ValueError, match="in which another process records; end that one, or record elsewhere"):
            list(record(recorded, spec, PLAY, episodes=3, lossless=True))
        other.communicate(b"\n")
    assert list(record(recorded, spec, PLAY, episodes=3, lossless=True)) == []


def test_a_damaged_recording_is_named(recorded, tmp_path):
    for name, data in files(recorded).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "episode_00001.actions.npy").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"episode_00001.actions.npy, which cannot be read .*; record the episode anew"):
        Recording(tmp_path)[1]
    lines = (tmp_path / "actions.jsonl").read_text().splitlines()
    (tmp_path / "actions.jsonl").write_text("\n".join([lines[0], "{half", *lines[2:], ""]))
    with pytest.raises(ValueError, match=r"actions.jsonl line 2, which is no JSON .*; mend or remove the line"):
        Recording(tmp_path)


def test_what_is_known_of_an_environment_fills_the_play(spec):
    assert default_play(spec, seed=None, hold=2.0) == Play(hold=2.0)
    doom = WorldSpec("VizdoomHealthGathering-v1", ActionSpace((Button("left"), Button("forward"))), 12)
    known = default_play(doom, seed=3)
    assert (known.caption, known.on, known.seed) == ("a walk through a green hall with medicine", {"forward": 0.7}, 3)
    with pytest.raises(ValueError, match="got max_frames 1; wanted 2 or more frames an episode"):
        Play(max_frames=1)


def test_lines_are_json_that_others_read(recorded):
    lines = [json.loads(line) for line in (recorded / "actions.jsonl").read_text().splitlines()]
    assert lines[0]["units"] == "space" and set(lines[0]["action_space"]) == {"buttons", "axes"}
    assert lines[1]["timing"] == "shown" and {"file", "actions", "rewards", "ends", "seed"} <= set(lines[1])
