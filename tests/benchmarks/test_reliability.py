"""The tables of reliability can tell what passed from what did not, and a small part of them passes here."""

import os
import random
import subprocess
import sys
import time

import pytest
import tiny_bundle
import torch

from benchmarks.reliability import r2, r3, r6, r7, r8, r9, r10
from benchmarks.reliability.mutation import mutate_bytes, mutate_values
from benchmarks.reliability.table import Row, try_apart, try_here
from benchmarks.reliability.trainings import REPO, Training
from framecast.data.video import write_video


def refuse() -> None:
    raise ValueError("refused")


def fill_memory() -> None:
    assert bytearray(300 * 2**20)
    refuse()


def take_long() -> None:
    start = time.process_time()
    while time.process_time() - start < 1.1:
        pass
    refuse()


def test_control_what_does_not_pass_is_told():
    wrong = {"crash": lambda: os._exit(3), "memory": fill_memory, "time": take_long, "accepted": int, "another error": {}.popitem}
    row = try_apart(Row("controls"), [*wrong.items(), ("right", refuse)], ValueError)
    assert (row.count, row.passed) == (6, 1) and [text.split(":")[0] for text in row.wrong] == list(wrong)
    assert row.mib > 256 and row.seconds > 1
    row = try_here(Row("controls"), [("accepted", lambda: 1), ("another error", {}.popitem), ("right", refuse)], ValueError)
    assert (row.count, row.passed) == (3, 1)
    assert try_here(Row("controls"), [("accepted", lambda: 1)], ValueError, accepted=True).passed == 1


def test_control_what_hangs_is_ended(monkeypatch):
    monkeypatch.setattr("benchmarks.reliability.table._HANG_SECONDS", 1)
    row = try_here(Row("controls"), [("hangs", lambda: time.sleep(30))], ValueError)
    assert row.passed == 0 and "not done after 1 s" in row.wrong[0]


def test_mutations_change_what_they_get_and_repeat_from_their_seed():
    data, values = bytes(range(200)), {"a": [1, 2, {"b": "c"}], "d": None}
    made = [[mutate_bytes(data, rng), mutate_values(values, rng)] for rng in (random.Random(3), random.Random(3))]
    assert repr(made[0]) == repr(made[1])
    rng = random.Random(0)
    assert sum(mutate_bytes(data, rng) != data for _ in range(200)) > 180
    assert len({repr(mutate_values(values, rng)) for _ in range(200)}) > 40 and values == {"a": [1, 2, {"b": "c"}], "d": None}


def test_readers_of_inputs_that_are_a_little_wrong_raise_what_they_declare(tmp_path):
    rows = list(r2.rows(tmp_path, scale=0.01))
    assert [row.wrong for row in rows if row.wrong] == [] and sum(row.count for row in rows) > 1000


@pytest.mark.parametrize("kind", ["bundles", "files"])
def test_sizes_are_compared_before_they_are_believed(tmp_path, kind):
    sound = tiny_bundle.save(tmp_path / "sound")
    attempts = r3.make_bundles(tmp_path / "made", sound) if kind == "bundles" else r3.make_files(tmp_path / "made")
    row = try_here(Row(kind), attempts, ValueError)
    assert row.wrong == [] and row.count > 10 and row.seconds < 2


@pytest.mark.slow
def test_sizes_are_compared_within_a_second_and_256_mib():
    done = subprocess.run([sys.executable, "-m", "benchmarks.reliability", "r3"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "| bundles: sizes and kinds |" in done.stdout, done.stderr[-2000:]


def test_each_bad_clip_is_named_and_the_good_ones_are_there(tmp_path):
    sound = tmp_path / "sound.mp4"
    write_video(sound, r10._frames(20), 12.0)
    row = try_here(Row("clips"), r10.make_apart(tmp_path / "apart", sound.read_bytes()), (), accepted=True)
    assert row.wrong == [] and row.count == 30


def test_control_a_clip_that_is_not_named_is_told(tmp_path):
    sound = tmp_path / "sound.mp4"
    write_video(sound, r10._frames(20), 12.0)
    with pytest.raises(AssertionError, match=r"wanted missing\.mp4"):
        r10._check_named(tmp_path, "missing.mp4")


def test_control_values_that_differ_are_found():
    one = {"a": [1, torch.zeros(2)], "b": {"c": "d"}}
    assert list(r6._differences(one, {"a": [1, torch.zeros(2)], "b": {"c": "d"}})) == []
    assert list(r6._differences(one, {"a": [2, torch.tensor([0.0, -1.0])], "b": {"c": "e"}})) == ["a.0", "a.1", "b.c"]
    assert list(r6._differences(one, {"a": [1], "b": {}})) == ["a", "b"]


def ended(folder, status: int, seconds: float = 0.5, orphans: tuple[int, ...] = ()) -> Training:
    training = Training(folder)
    (folder / "signal").write_text("100.0")
    training.statuses, training.ended, training.orphans = [status], 100.0 + seconds, list(orphans)
    return training


def test_control_trainings_that_end_otherwise_are_told(tmp_path):
    folder = tmp_path / "early 15"
    assert r7.problem(ended(folder, 143), kept=None) is None
    assert "SIGTERM gave [0]" in r7.problem(ended(folder, 0), kept=None)
    assert "took 3.0 s" in r7.problem(ended(folder, 143, 3.0), kept=None)
    assert "left the processes [7]" in r7.problem(ended(folder, 143, orphans=(7,)), kept=None)
    assert "ended with [0]" in r9._problem(ended(tmp_path / "worker", 0))
    assert "ended with [1]" in r8._problem(ended(tmp_path / "value", 1))


RANKS = """
import sys
from pathlib import Path
import torch
from benchmarks.reliability import r4, r7
from benchmarks.reliability.table import Row
torch.set_num_threads(1)
folder = Path(sys.argv[1])
(folder / "saves").mkdir()
rows = [*r4.rows(folder / "saves", count=10), r7._judge(Row("ranks"), list(r7._ranks(folder)), kept=2)]
print(*(row.wrong for row in rows))
"""


@pytest.mark.slow
def test_saves_that_are_killed_and_signals_to_ranks_of_ddp(tmp_path):
    done = subprocess.run([sys.executable, "-c", RANKS, str(tmp_path)], cwd=REPO, capture_output=True, text=True, timeout=300)
    assert done.stdout == "[] []\n", done.stdout + done.stderr[-2000:]
