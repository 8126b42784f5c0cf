"""A clip that cannot be loaded, and a process that dies or hangs, are named soon; nothing outlives the training."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from framecast.data import loading
from framecast.data.loading import LoaderError, WatchedLoader

REPO = Path(__file__).parents[2]


class Clips(Dataset):
    """Numbers; the third one raises, dies or hangs."""

    def __init__(self, what: str):
        self.what = what

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        if index == 3 and self.what == "raises":
            raise KeyError("no such caption")
        if index == 3 and self.what == "dies later":
            time.sleep(0.5)
        if index == 3 and self.what.startswith("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        while index == 3 and self.what == "hangs":
            time.sleep(0.1)
        return index


def loader(what: str, num_workers: int, time_limit: float = 30.0) -> WatchedLoader:
    return WatchedLoader(Clips(what), 2, list, num_workers, time_limit)


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_all_is_there_where_nothing_is_wrong(num_workers):
    assert list(loader("works", num_workers)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


class Decoder:
    """In a circle, so that only the collector frees it; waits for threads of the process that made it."""

    def __init__(self):
        self.circle, self.owner = self, os.getpid()

    def __del__(self):
        while os.getpid() != self.owner:
            time.sleep(0.1)


def test_processes_do_not_free_what_was_left_here(monkeypatch):
    Decoder()
    monkeypatch.setattr(Clips, "__getitem__", lambda self, index: gc.collect() and index)
    assert len(list(loader("works", 1, time_limit=10))) == 4


@pytest.mark.parametrize(("num_workers", "where"), [(0, "the training"), (2, "process 1")])
def test_a_clip_that_raises_is_named(num_workers, where):
    with pytest.raises(
        LoaderError, match=rf"^clip 3 cannot be loaded in {where} \(KeyError: 'no such caption'\); mend or exclude it$"
    ):
        list(loader("raises", num_workers))


def test_a_process_that_dies_is_named_at_once():
    started = time.monotonic()
    with pytest.raises((LoaderError, RuntimeError), match=r"DataLoader worker \(pid.* (is killed|exited)"):
        list(loader("dies", 1))
    assert time.monotonic() - started < 30


def test_a_death_is_told_where_clips_are_waited_for():
    batches = iter(loader("dies later", 1))
    assert next(batches) == [0, 1]
    for _ in range(100):  # a step, in which the process dies
        time.sleep(0.02)
    with pytest.raises(LoaderError, match=r"^DataLoader worker \(pid.*process 0 is at clip 3; look at the clip"):
        next(batches)


def test_a_death_in_the_middle_of_a_batch_is_named(monkeypatch):
    def broken(_: DataLoader) -> Iterator[None]:
        raise ConnectionResetError(104, "Connection reset by peer")
        yield

    monkeypatch.setattr(DataLoader, "__iter__", broken)
    with pytest.raises(LoaderError, match=r"^DataLoader worker has died \(\[Errno 104\] Connection reset by peer\); no clip is"):
        list(loader("works", 1))


def test_a_process_that_hangs_is_named_and_ended(monkeypatch, capsys):
    monkeypatch.setattr(loading, "PATIENCE", 0.3)
    hanging = loader("hangs", 1, time_limit=1.5)
    with pytest.raises(LoaderError, match=r"timed out after 1\.5 seconds; process 0 is at clip 3; look at the clip"):
        list(hanging)
    assert "waiting for clips for 0.3 s: process 0 is at clip 3" in capsys.readouterr().err
    for child in multiprocessing.active_children():
        child.kill()


def test_what_the_training_itself_waits_for_is_named(monkeypatch, capsys):
    monkeypatch.setattr(loading, "PATIENCE", 0.5)
    slow = Clips("works")
    monkeypatch.setattr(Clips, "__getitem__", lambda self, index: time.sleep(1.2 if index == 5 else 0) or index)
    assert len(list(WatchedLoader(slow, 2, list, 0))) == 4
    assert capsys.readouterr().err == "waiting for clips for 0.5 s: the training is at clip 5\n"


ORPHANS = """
import os, signal, sys, multiprocessing
sys.path.insert(0, "tests/data")
from test_loading import loader
batches = iter(loader("hangs", 1))
next(batches)
print(multiprocessing.active_children()[0].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process looks every five seconds whether it is alone")
def test_a_hanging_process_does_not_outlive_one_that_is_killed():
    run = subprocess.run([sys.executable, "-c", ORPHANS], cwd=REPO, capture_output=True, text=True, timeout=120)
    pid = int(run.stdout)
    for _ in range(50):
        if not is_running(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the loader's process outlives its parent")


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
