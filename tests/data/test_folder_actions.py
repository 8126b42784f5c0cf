"""VideoFolder with actions: the picture and its row tell the same number, at every rate, from any start, through any source."""

import json
import pickle
import shutil
from itertools import pairwise
from pathlib import Path

import numbered
import numpy as np
import pytest
import torch

from framecast.data import (
    ActionSpace,
    Axis,
    Button,
    LeRobotFolder,
    RandomCrops,
    SomeClips,
    VideoFolder,
    write_lerobot,
)
from framecast.data.scans import INDEX_FILE
from framecast.data.worlds import RecordingWriter

pytestmark = pytest.mark.usefixtures("own_caches")

SPACE = ActionSpace(axes=(Axis("number", low=0, high=100),))
SETTINGS = {"num_frames": 9, "size": 64, "fps": 24.0}


def told(clip) -> list[float]:
    """The numbers that the rows of a clip tell, those of numbered pictures; row 0 is unknown."""
    rows = clip.actions[:, 0] * 50 + 50
    assert rows[0].isnan()
    return rows[1:].tolist()


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Two numbered videos, whose row t is the number of frame t, with rewards and ends; and one without actions."""
    folder = tmp_path_factory.mktemp("recording")
    for name, first, count in (("a", 0, 40), ("b", 50, 22), ("silent", 90, 9)):
        numbered.write(folder / f"{name}.mp4", range(first, first + count))
    np.save(folder / "a.npy", np.arange(40.0, dtype=np.float32)[:, None])
    lines = [
        {"action_space": SPACE.to_json()},
        {"file": "a.mp4", "actions": "a.npy", "rewards": list(range(40)), "ends": [False] * 39 + [True]},
        {"file": "b.mp4", "actions": [[n] for n in range(50, 72)]},
    ]
    (folder / "actions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture
def copy(recording, tmp_path):
    """The recording, to be spoilt."""
    return Path(shutil.copytree(recording, tmp_path / "copy"))


def rewrite(folder: Path, change) -> None:
    """Changes the lines of `actions.jsonl`."""
    lines = [json.loads(line) for line in (folder / "actions.jsonl").read_text().splitlines()]
    change(lines)
    (folder / "actions.jsonl").write_text("\n".join(map(json.dumps, lines)))


def test_each_row_belongs_to_its_frame(recording):
    folder = VideoFolder(recording, **SETTINGS, step=4)
    assert folder.action_space == SPACE and folder.skipped == {}
    assert "; actions of 2 files: number" in folder.summary()
    assert len(folder) == 8 + 4 + 1
    for clip in folder:
        if clip.name.startswith("silent"):
            assert clip.actions is clip.rewards is clip.ends is None
        else:
            np.testing.assert_allclose(told(clip), numbered.numbers(clip.frames)[1:], atol=1e-4)
    clip = folder[7]
    assert numbered.numbers(clip.frames)[0] == 28 and clip.rewards[1:].tolist() == list(range(29, 37))
    assert clip.ends.dtype == torch.bool and not clip.ends.any() and folder[9].rewards is None


def test_control_rows_that_are_off_by_one_are_seen(copy):
    rewrite(copy, lambda lines: lines[0].update(timing="chosen"))
    clip = VideoFolder(copy, **SETTINGS)[1]
    np.testing.assert_allclose(told(clip), [number - 1 for number in numbered.numbers(clip.frames)[1:]], atol=1e-4)


def test_memory_seeking_workers_and_the_index_change_nothing(recording):
    first = VideoFolder(recording, **SETTINGS)
    assert '"shown": [0, 1, 2' in (recording / INDEX_FILE).read_text()
    for again in (VideoFolder(recording, **SETTINGS, cache_bytes=0), pickle.loads(pickle.dumps(first))):
        for clip, other in zip(first, again, strict=True):
            assert torch.equal(clip.frames, other.frames) and clip.name == other.name
            if clip.actions is not None:
                assert clip.actions.numpy().tobytes() == other.actions.numpy().tobytes()


@pytest.mark.parametrize("fps", [12.0, 8.0, 10.0])
def test_at_a_lower_rate_a_row_is_the_mean_of_what_was_done_between(recording, fps):
    for clip in VideoFolder(recording, num_frames=5, size=64, fps=fps, include="[ab].mp4"):
        shown = numbered.numbers(clip.frames)
        wanted = [np.mean(range(before + 1, after + 1)) for before, after in pairwise(shown)]
        np.testing.assert_allclose(told(clip), wanted, atol=1e-4)


def test_at_a_higher_rate_an_action_holds_until_its_frame_is_there(recording):
    clip = VideoFolder(recording, num_frames=9, size=64, fps=48.0, include="a.mp4")[0]
    assert numbered.numbers(clip.frames) == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    np.testing.assert_allclose(told(clip), [1, 1, 2, 2, 3, 3, 4, 4], atol=1e-4)


def test_a_delay_makes_rows_late(recording):
    clip = VideoFolder(recording, **SETTINGS, action_delay=3)[1]
    assert numbered.numbers(clip.frames)[0] == 9
    np.testing.assert_allclose(told(clip), range(10 - 3, 18 - 3), atol=1e-4)
    assert clip.rewards[1:].tolist() == list(range(10, 18))
    with pytest.raises(ValueError, match="got action_delay -1; wanted a whole number of frames, at least 0"):
        VideoFolder(recording, **SETTINGS, action_delay=-1)


def test_a_delay_that_hides_every_action_is_refused(recording):
    latest = VideoFolder(recording, **SETTINGS, action_delay=35)  # the last clip shows frames 27 to 35
    assert [clip.actions.isnan().all().item() for clip in latest if clip.actions is not None].count(False) == 1
    message = "got action_delay {}, after which no action of any clip is known: the longest video with actions has 40 frames;"
    for delay in (36, 10**9):
        with pytest.raises(ValueError, match=message.format(delay)):
            VideoFolder(recording, **SETTINGS, action_delay=delay)
    assert VideoFolder(recording, **SETTINGS, action_delay=99, include="silent.mp4").action_space is None


def test_crops_and_drawn_clips_keep_their_steps(recording):
    folder = VideoFolder(recording, **SETTINGS)
    some, crops = SomeClips(folder, 3, seed=1), RandomCrops(folder, size=32, copies=2)
    assert some.action_space == crops.action_space == SPACE
    for index in range(3):
        np.testing.assert_allclose(told(some[index]), numbered.numbers(some[index].frames)[1:], atol=1e-4)
    for index in (0, 1, 5):
        cropped, clip = crops[index], folder[index // 2]
        for name in ("actions", "rewards", "ends"):
            assert torch.equal(getattr(cropped, name).nan_to_num(7), getattr(clip, name).nan_to_num(7))
    with pytest.raises(ValueError, match="got mirror for clips with actions, which tell left from right"):
        RandomCrops(folder, size=32, mirror=True)


def test_the_fingerprint_tells_actions_apart(recording, copy):
    def fingerprint(folder, **options):
        return VideoFolder(folder, **SETTINGS, **options).fingerprint()

    before = fingerprint(copy)
    assert before == fingerprint(recording) and before["action_space"] == SPACE.to_json()
    assert fingerprint(copy, action_delay=1) != before
    rewrite(copy, lambda lines: lines[2]["actions"][-1].__setitem__(0, 1))
    assert fingerprint(copy) != before
    (copy / "actions.jsonl").unlink()
    without = fingerprint(copy)
    assert {key for key in before if key not in without} == {"actions", "action_space"}


def test_actions_may_be_listed_elsewhere_and_have_another_space(recording, copy, tmp_path):
    (copy / "actions.jsonl").rename(tmp_path / "mine.jsonl")
    wide = ActionSpace(axes=(Axis("number", low=-100, high=100),))
    folder = VideoFolder(copy, **SETTINGS, actions=tmp_path / "mine.jsonl", action_space=wide.to_json())
    np.testing.assert_allclose(folder[1].actions[1:, 0] * 100, numbered.numbers(folder[1].frames)[1:], atol=1e-4)
    shutil.copy(tmp_path / "mine.jsonl", copy / "captions.jsonl")
    (copy / "captions.jsonl").write_text("\n".join((copy / "captions.jsonl").read_text().splitlines()[1:]))
    derived = VideoFolder(copy, **SETTINGS, actions="captions.jsonl", action_space=SPACE)
    assert derived.action_space == SPACE
    with pytest.raises(ValueError, match=r"gone.jsonl is not a file; give one JSON object per line"):
        VideoFolder(copy, **SETTINGS, actions="gone.jsonl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[2]["actions"].pop(), "has 22 frames and 21 rows of actions; wanted a row for each frame"),
        (lambda lines: lines[2]["actions"].append([3]), "has 22 frames and 23 rows of actions"),
        (lambda lines: lines[2]["actions"].__setitem__(3, [400]), "number 400 in row 3; wanted 0 to 100"),
        (lambda lines: lines[2].update(action_names=["digit"]), "got actions with digit, which the space has not"),
        (lambda lines: lines[2].update(actions="b.npy"), "b.npy cannot be read"),
    ],
)
def test_a_file_whose_actions_do_not_fit_is_skipped_with_its_reason(copy, change, message):
    rewrite(copy, change)
    for _ in ("fresh", "from the index"):
        folder = VideoFolder(copy, **SETTINGS)
        assert list(folder.skipped) == ["b.mp4"] and len(folder) == 4 + 1
        with pytest.raises(ValueError, match=message):
            raise ValueError(folder.skipped["b.mp4"])
    assert numbered.numbers(folder[4].frames)[0] == 90  # no frame of the skipped file was kept in its place
    with pytest.raises(ValueError, match=f"no clip can be made from .*: b.mp4: .*{message}"):
        VideoFolder(copy, **SETTINGS, include="b.mp4")


def test_what_a_recording_writer_writes_comes_back_in_the_units_of_the_space(tmp_path):
    space = ActionSpace((Button("gas"),), (Axis("force", low=-2, high=2),))
    actions = np.array([[np.nan, np.nan], [1, 0.75], [0, -1.0], [1, 0.1]], np.float32)
    with RecordingWriter(tmp_path / "world", space, fps=10.0) as writer:
        frames = np.zeros((4, 16, 16, 3), np.uint8)
        writer.add(frames, actions, [np.nan, 1, 2, 3], [False, False, False, True], caption="a world")
    clip = VideoFolder(tmp_path / "world", num_frames=4, size=16, fps=10.0)[0]
    np.testing.assert_array_equal(clip.actions.numpy(), actions)
    assert clip.rewards[1:].tolist() == [1, 2, 3] and clip.ends.tolist() == [False, False, False, True]
    assert clip.captions[0].text == "a world"


def test_whole_videos_keep_their_actions_and_can_be_written_for_lerobot(recording, tmp_path):
    folder = VideoFolder(recording, **SETTINGS, include="[ab].mp4")
    clips = list(folder.whole_videos())
    assert [(clip.name, len(clip.frames)) for clip in clips] == [("a.mp4", 40), ("b.mp4", 22)]
    for clip in clips:
        np.testing.assert_allclose(told(clip), numbered.numbers(clip.frames)[1:], atol=1e-4)
    write_lerobot(tmp_path / "robot", clips, action_space=SPACE)
    for clip in LeRobotFolder(tmp_path / "robot", **SETTINGS):
        np.testing.assert_allclose(told(clip), numbered.numbers(clip.frames)[1:], atol=1e-4)
