"""LeRobotDataset out and in: each picture keeps its action, over several episodes a file, rates and versions."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numbered
import numpy as np
import pytest
import torch

from framecast.data import ActionSpace, Axis, Button, Caption, CaptionedClip, LeRobotFolder, SomeClips, VideoError, write_lerobot
from framecast.data.parquet import read_parquet, write_parquet

SPACE = ActionSpace((Button("grip"),), (Axis("number", low=0, high=250),))
CAMERA = "observation.images.view"


def episode(first: int, count: int, text: str = "count") -> CaptionedClip:
    """Numbered pictures whose actions say the number of the picture that they made."""
    frames = torch.from_numpy(np.stack([numbered.picture(first + number) for number in range(count)]))
    told = torch.arange(first, first + count, dtype=torch.float32)
    actions = torch.stack([told % 2, told / 125 - 1], dim=1)
    actions[0] = torch.nan
    rewards, ends = told.clone(), torch.arange(count) == count - 1
    rewards[0] = torch.nan
    captions = (Caption(0, text), Caption(count // 2, f"{text} on"))
    return CaptionedClip(frames, captions, 24.0, f"e{first}", actions=actions, rewards=rewards, ends=ends)


EPISODES = [episode(0, 20, "first"), episode(40, 9), episode(100, 13), episode(150, 4), episode(200, 9)]
LENGTHS = [20, 9, 13, 4, 9]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot") / "dataset"
    assert write_lerobot(folder, EPISODES, action_space=SPACE, episodes_per_file=2) == 5
    return folder


@pytest.fixture
def copy(dataset, tmp_path) -> Path:
    return Path(shutil.copytree(dataset, tmp_path / "copy"))


def change_info(folder: Path, **changes) -> None:
    path = folder / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def told(clip) -> list[float]:
    return (clip.actions[1:, 1] * 125 + 125).tolist()


def test_every_picture_keeps_its_action(dataset):
    folder = LeRobotFolder(dataset, num_frames=9, size=64, fps=24.0)
    assert folder.action_space == SPACE and folder.camera == CAMERA
    assert [clip.name for clip in folder] == [
        "episode 0@0.00s", "episode 0@0.38s", "episode 1@0.00s", "episode 2@0.00s", "episode 4@0.00s"
    ]  # fmt: skip
    for clip, first in zip(folder, (0, 9, 40, 100, 200), strict=True):
        shown = numbered.numbers(clip.frames)
        assert shown == list(range(first, first + 9))
        assert clip.actions[0].isnan().all() and clip.rewards[0].isnan()
        assert told(clip) == pytest.approx(shown[1:], abs=1e-3)
        assert clip.actions[1:, 0].tolist() == [number % 2 for number in shown[1:]]
        assert clip.rewards[1:].tolist() == shown[1:]
    assert folder[4].ends.tolist() == [False] * 8 + [True] and not folder[0].ends.any()
    assert folder[1].captions == (Caption(0, "first"), Caption(1, "first on"))
    assert list(folder.skipped) == ["episode 3"] and "has 4 frames at 24 fps; wanted 9" in folder.skipped["episode 3"]
    assert "5 clips of 9 frames at 24 fps from 4 episodes" in folder.summary() and "actions: grip, number" in folder.summary()


def test_control_an_action_that_is_not_shifted_is_seen(copy):
    """A writer that puts an action beside the picture that it made is off by one."""
    for path in sorted((copy / "data").rglob("*.parquet")):
        columns = read_parquet(path)
        types = {name: "float32" if name in ("timestamp", "next.reward") else "int64" for name in columns}
        types |= {"action": "list<float32>", "next.done": "bool_"}
        write_parquet(path, columns | {"action": [columns["action"][0], *columns["action"][:-1]]}, types)
    clip = LeRobotFolder(copy, num_frames=9, size=64, fps=24.0)[2]
    assert told(clip)[1:] == pytest.approx([number - 1 for number in numbered.numbers(clip.frames)[2:]], abs=1e-3)


@pytest.mark.parametrize("fps", [8.0, 10.0, 48.0])
def test_other_rates_keep_pictures_and_actions_together(dataset, fps):
    folder = LeRobotFolder(dataset, num_frames=4, size=64, fps=fps, step=1, cache_bytes=0)
    for clip in folder:
        shown = numbered.numbers(clip.frames)
        wanted = [np.mean(range(a + 1, b + 1)) if b > a else a + 1 for a, b in pairwise(shown)]
        known = ~clip.actions[1:, 1].isnan()
        assert np.asarray(told(clip))[known] == pytest.approx(np.asarray(wanted)[known], abs=1e-3)
        assert known[:-1].all()  # only behind the last picture of an episode is nothing known


def test_old_versions_have_a_file_an_episode(dataset, tmp_path):
    make_old(dataset, tmp_path)
    new, old = (LeRobotFolder(root, num_frames=9, size=64, fps=24.0, action_space=SPACE) for root in (dataset, tmp_path))
    for clip, other in zip(new, old, strict=True):
        assert clip.name == other.name and clip.captions == other.captions
        assert numbered.numbers(clip.frames) == numbered.numbers(other.frames)
        assert torch.equal(clip.actions.nan_to_num(7), other.actions.nan_to_num(7))


def make_old(dataset: Path, folder: Path) -> None:
    """The same as version 2.1 holds it, with names of joints in a mapping."""
    info = json.loads((dataset / "meta/info.json").read_text())
    info["features"]["action"] = {"dtype": "float32", "shape": [2], "names": {"motors": ["grip", "number"]}}
    info |= {
        "codebase_version": "v2.1",
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    }
    data, video = folder / "data/chunk-000", folder / f"videos/chunk-000/{CAMERA}"
    for made in (folder / "meta", data, video):
        made.mkdir(parents=True)
    (folder / "meta/info.json").write_text(json.dumps(info))
    tasks = read_parquet(dataset / "meta/tasks.parquet")
    lines = [{"task_index": n, "task": task} for task, n in zip(tasks["task"], tasks["task_index"], strict=True)]
    (folder / "meta/tasks.jsonl").write_text("\n".join(map(json.dumps, lines)))
    lines = [{"episode_index": number, "tasks": [], "length": length} for number, length in enumerate(LENGTHS)]
    (folder / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for number, clip in enumerate(EPISODES):
        write_lerobot(folder / "one", [clip], action_space=SPACE)
        columns = read_parquet(folder / "one/data/chunk-000/file-000.parquet", ["action", "next.reward", "next.done"])
        first = next(start for start, task in enumerate(tasks["task"]) if task == clip.captions[0].text)
        places = [tasks["task_index"][first + (row >= len(clip.frames) // 2)] for row in range(len(clip.frames))]
        columns |= {"episode_index": [number] * len(places), "task_index": places}
        types = {"action": "list<float32>", "next.reward": "float32", "next.done": "bool_"}
        write_parquet(data / f"episode_{number:06d}.parquet", columns, types | {"episode_index": "int64", "task_index": "int64"})
        shutil.move(folder / f"one/videos/{CAMERA}/chunk-000/file-000.mp4", video / f"episode_{number:06d}.mp4")
        shutil.rmtree(folder / "one")


def test_the_files_are_those_of_version_three(dataset):
    files = sorted(path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file())
    assert [file for file in files if not file.startswith(".")] == [
        *(f"data/chunk-000/file-00{number}.parquet" for number in range(3)),
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        *(f"videos/{CAMERA}/chunk-000/file-00{number}.mp4" for number in range(3)),
    ]
    info = json.loads((dataset / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["total_episodes"], info["total_frames"]) == ("v3.0", 24, 5, sum(LENGTHS))
    assert set(info["features"]) == {CAMERA, *read_parquet(dataset / "data/chunk-000/file-000.parquet")}
    assert info["features"]["action"]["names"] == ["grip", "number"] and info["features"]["next.done"]["dtype"] == "bool"
    rows = read_parquet(dataset / "data/chunk-000/file-001.parquet")
    assert rows["index"] == list(range(29, 46)) and rows["frame_index"][:14] == [*range(13), 0]
    assert rows["episode_index"] == [2] * 13 + [3] * 4 and rows["timestamp"][1] == pytest.approx(1 / 24)
    assert rows["action"][0] == pytest.approx([1, 101]) and rows["next.reward"][0] == 101
    episodes = read_parquet(dataset / "meta/episodes/chunk-000/file-000.parquet")
    assert episodes[f"videos/{CAMERA}/from_timestamp"] == pytest.approx([0, 20 / 24, 0, 13 / 24, 0])
    assert episodes["dataset_to_index"] == np.cumsum(LENGTHS).tolist() and episodes["tasks"][0] == ["first", "first on"]


def test_the_figures_are_those_of_all_rows(dataset):
    stats = json.loads((dataset / "meta/stats.json").read_text())
    actions = np.concatenate([read_parquet(path)["action"] for path in sorted((dataset / "data").rglob("*.parquet"))])
    for name, figure in (("min", np.min), ("max", np.max), ("mean", np.mean), ("std", np.std)):
        np.testing.assert_allclose(stats["action"][name], figure(actions, axis=0), rtol=1e-5)
    assert stats["action"]["count"] == [sum(LENGTHS)] and np.shape(stats[CAMERA]["mean"]) == (3, 1, 1)
    assert 0 < stats[CAMERA]["mean"][0][0][0] < 1


def test_without_a_stated_space_the_numbers_make_one(copy):
    info = json.loads((copy / "meta/info.json").read_text())
    del info["features"]["action"]["info"]
    info["features"]["action"]["names"] = None
    change_info(copy, features=info["features"])
    space = LeRobotFolder(copy, num_frames=9, size=64, fps=24.0).action_space
    assert space.names == ("action 0", "action 1") and len(space.buttons) == 1
    assert space.axes[0].high == pytest.approx(208)


def test_the_fingerprint_tells_settings_episodes_and_files_apart(dataset, copy):
    def fingerprint(folder, **options):
        return LeRobotFolder(folder, **{"num_frames": 4, "size": 64, "fps": 24.0, **options}).fingerprint()

    assert fingerprint(dataset) == fingerprint(copy)
    others = [
        {"episodes": [0, 2]},
        {"action_delay": 1},
        {"step": 2},
        {"action_space": SPACE.to_json() | {"buttons": [{"name": "grip"}]}},
    ]
    assert len({json.dumps(fingerprint(copy, **options)) for options in [{}, *others[:3]]}) == 4
    assert fingerprint(copy, **others[3]) == fingerprint(copy)
    assert [clip.name for clip in SomeClips(LeRobotFolder(copy, num_frames=9, size=64, episodes=[2], fps=24.0), 9)] == [
        "episode 2@0.00s"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": "top"}, f"got camera 'top'; wanted one of {CAMERA}"),
        ({"episodes": [7]}, r"got episodes \[7\], and .* has 0 to 4; wanted some of these"),
        ({"num_frames": 99}, "no clip can be made from .*: episode 0: has 20 frames at 24 fps; wanted 99"),
        ({"num_frames": 0}, "got num_frames 0; wanted a whole number of frames in a clip"),
        ({"step": 10}, "got step 10; wanted 1 to 9 frames, the length of a clip"),
        ({"action_delay": 0.5}, "got action_delay 0.5; wanted a whole number of frames"),
        ({"action_delay": 99}, "got action_delay 99, after which no action of any clip is known: the longest video"),
        ({"action_space": ActionSpace((Button("x"),))}, "got actions with grip, number, which the space has not; wanted x"),
    ],
)
def test_settings_that_do_not_fit_say_what_would(dataset, options, message):
    with pytest.raises(ValueError, match=message):
        LeRobotFolder(dataset, **{"num_frames": 9, "size": 64, "fps": 24.0, **options})


def test_a_folder_that_is_none_says_why(copy, tmp_path):
    with pytest.raises(ValueError, match=r"holds no LeRobotDataset: meta/info.json is missing"):
        LeRobotFolder(tmp_path)
    for changes, message in (
        (
            {"codebase_version": "v1.6"},
            r"info.json says nothing that can be used .version 'v1.6'.; wanted a LeRobotDataset of version",
        ),
        ({"codebase_version": "v3.0", "data_path": "{x}"}, "got the path '{x}', with an unknown 'x'"),
        ({"data_path": "{chunk_index:999d}"}, "got the path '{chunk_index:999d}'; wanted one such as"),
        ({"data_path": "../{chunk_index}"}, "leads out of the folder"),
        ({"video_path": None}, "has no camera whose pictures are videos"),
    ):
        change_info(copy, **changes)
        with pytest.raises(ValueError, match=message):
            LeRobotFolder(copy)
    features = json.loads((copy / "meta/info.json").read_text())["features"]
    change_info(copy, features={**features, "action": {**features["action"], "shape": [10**9]}})
    with pytest.raises(ValueError, match=r"got action of shape .1000000000.; wanted at most 256 numbers in all"):
        LeRobotFolder(copy)
    (copy / "meta/info.json").write_text("{}")
    with pytest.raises(ValueError, match=r"says nothing that can be used .no 'codebase_version'.; wanted"):
        LeRobotFolder(copy)


def test_rows_without_a_task_are_named(copy):
    from pyarrow import array, parquet

    file = copy / "data/chunk-000/file-000.parquet"
    table = parquet.read_table(file)
    gone = array([None, *table["task_index"].to_pylist()[1:]])
    parquet.write_table(table.set_column(table.column_names.index("task_index"), "task_index", gone), file)
    folder = LeRobotFolder(copy, num_frames=4, size=64, fps=24.0)
    assert set(folder.skipped) == {"episode 0"}
    assert "as a task_index; wanted a whole number in each row" in folder.skipped["episode 0"]


def test_episodes_whose_files_are_gone_or_damaged_are_named(copy):
    (copy / f"videos/{CAMERA}/chunk-000/file-001.mp4").unlink()
    (copy / "data/chunk-000/file-002.parquet").write_bytes(b"PAR1")
    video = copy / f"videos/{CAMERA}/chunk-000/file-000.mp4"
    folder = LeRobotFolder(copy, num_frames=4, size=64, fps=24.0)
    assert set(folder.skipped) == {"episode 2", "episode 3", "episode 4"}
    assert "file-001.mp4 is missing; copy it here" in folder.skipped["episode 2"]
    assert "no parquet file that can be read" in folder.skipped["episode 4"]
    numbered.write(video, range(5))
    with pytest.raises(VideoError, match=r"file-000.mp4 ends 1 frames after 0.17 s; wanted 4 of episode 0; copy it anew"):
        folder[1]


@pytest.mark.parametrize(
    ("clips", "options", "message"),
    [
        ([], {}, "got no clip to write into .*; wanted at least one"),
        (EPISODES[:1], {}, "got 'e0' with actions and no action space; give `action_space`"),
        (EPISODES[:1], {"episodes_per_file": 0}, "got episodes_per_file 0; wanted a whole number of at least 1"),
        (EPISODES[:1], {"action_space": ActionSpace((Button("x"),))}, "actions of 'e0' of shape .*; wanted 1 numbers"),
        (
            [EPISODES[0], CaptionedClip(EPISODES[0].frames, (Caption(0, ""),), 12.0, "slow")],
            {"action_space": SPACE},
            "got 'slow' of 64x64 at 12 fps after clips of 64x64 at 24; wanted one size and rate",
        ),
    ],
)
def test_clips_that_make_no_dataset_leave_nothing(tmp_path, clips, options, message):
    with pytest.raises(ValueError, match=message):
        write_lerobot(tmp_path / "made", clips, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(copy):
    with pytest.raises(ValueError, match="which is not empty; wanted a new folder"):
        write_lerobot(copy, EPISODES, action_space=SPACE)
    assert len(LeRobotFolder(copy, num_frames=9, size=64, fps=24.0)) == 5


def test_clips_without_actions_make_a_dataset_too(tmp_path):
    clip = CaptionedClip(EPISODES[1].frames, (Caption(0, ""),), 24.0, "silent")
    write_lerobot(tmp_path / "made", [clip])
    found = LeRobotFolder(tmp_path / "made", num_frames=9, size=64, fps=24.0)
    assert found.action_space is None and found[0].actions is found[0].rewards is found[0].ends is None
    assert found[0].captions == (Caption(0, ""),) and "; actions" not in found.summary()


THEIRS = Path(__file__).parent / "written_by_lerobot"
"""Three episodes of numbered pictures, as `LeRobotDataset.create` of lerobot 0.4.4 wrote them (AV1, 24 frames/s)."""


def test_what_lerobot_wrote_is_read_with_its_actions(tmp_path):
    """The action beside picture n says n + 1, the picture that it led to."""
    folder = LeRobotFolder(shutil.copytree(THEIRS, tmp_path / "theirs"), num_frames=9, size=64, fps=24.0)
    assert folder.camera == "observation.images.top" and folder.action_space.names == ("joint", "number")
    axis = folder.action_space.axes[1]
    assert (axis.low, axis.high) == (1, 115)
    assert [(clip.name, clip.captions[0].text) for clip in folder] == [
        ("episode 0@0.00s", "count from 0"),
        ("episode 0@0.38s", "count from 0"),
        ("episode 1@0.00s", "count from 40"),
        ("episode 2@0.00s", "count from 100"),
    ]
    for clip in folder:
        assert (clip.actions[1:, 1] * 57 + 58).tolist() == pytest.approx(numbered.numbers(clip.frames)[1:], abs=1e-4)
