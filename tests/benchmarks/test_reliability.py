"""The tables of reliability can tell what passed from what did not, and a small part of them passes here."""

import os
import random
import subprocess
import sys
import time

import pytest
import tiny_bundle

from benchmarks.reliability import r2, r3
from benchmarks.reliability.mutation import mutate_bytes, mutate_values
from benchmarks.reliability.table import Row, try_apart, try_here


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
