"""Who is missing is named: by processes that do nothing but watch."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import sys, time
import torch.distributed as dist
from framecast.train.sharding.watch import Watch
rank, world, port, ends = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
watch = Watch(rank, world, "127.0.0.1", is_ending=lambda: ends == "busy")
print("ready", flush=True)
sys.stdin.readline()
watch.leave(failed=ends == "failed")
"""


@pytest.fixture
def started():
    """Starts three processes that end when they are told a line, each in its way; kills what is left."""
    processes: list[subprocess.Popen[str]] = []

    def start(*ends: str) -> list[subprocess.Popen[str]]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
        root = str(Path(__file__).parents[3])
        for rank, end in enumerate(ends):
            command = [sys.executable, "-c", SCRIPT, str(rank), str(len(ends)), port, end]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            processes.append(subprocess.Popen(command, text=True, env={**os.environ, "PYTHONPATH": root}, **pipes))
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * len(ends)
        return processes

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("victim", [0, 1, 2])
def test_who_is_killed_is_named_by_all_others_within_seconds(started, victim):
    processes = started("left", "left", "left")
    processes[victim].send_signal(signal.SIGKILL)
    died = time.monotonic()
    for rank, process in enumerate(processes):
        if rank != victim:
            assert process.wait(timeout=60) == 1
            said = process.stderr.read()
            assert f"process {victim} of 3 ({socket.gethostname()}, pid {processes[victim].pid}) is gone" in said
            assert "go on from the last checkpoint with --ckpt_path last" in said
    assert time.monotonic() - died < 5


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_orderly_end_is_no_loss_and_an_error_is_one(started):
    processes = started("left", "failed", "left")
    processes[2].stdin.write("\n")
    processes[2].stdin.flush()
    assert processes[2].wait(timeout=60) == 0
    time.sleep(1)
    assert processes[0].poll() is None and processes[1].poll() is None
    processes[1].stdin.write("\n")
    processes[1].stdin.flush()
    assert processes[1].wait(timeout=60) == 0
    assert processes[0].wait(timeout=60) == 1
    assert "has ended before, and has said why; process 0 cannot go on without it" in processes[0].stderr.read()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_who_is_about_to_end_is_not_hurried(started):
    """Such as process 0, which writes a bundle of what there is after Ctrl-C, when the others have ended."""
    processes = started("busy", "failed")
    processes[1].stdin.write("\n")
    processes[1].stdin.flush()
    assert processes[1].wait(timeout=60) == 0
    time.sleep(6)
    assert processes[0].poll() is None
