"""How far long work is: silent if it is short, and otherwise never silent for more than ten seconds."""

import os
import pty
import subprocess
import sys
import textwrap
import time
from itertools import pairwise
from pathlib import Path

import pytest
import tiny_bundle

from framecast import progress
from framecast.cli import main
from framecast.progress import Task, tracked

LIMIT = 10.0
"""Seconds that no command may be silent for."""


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock set by hand, and no threads: a task looks at it if it is told to."""
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(Task, "_watch", lambda task: None)
    monkeypatch.setattr(progress._Lines, "_last", 0.0)
    return clock


def pass_seconds(clock: Clock, *tasks: Task, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1
        for task in tasks:
            task.look()


def test_long_work_says_how_far_it_is_and_how_long_it_will_take(clock, capsys):
    with Task("reading videos", 40, "files") as task:
        pass_seconds(clock, task, seconds=2)
        for _ in range(20):
            pass_seconds(clock, task, seconds=1)
            task.advance()
    assert capsys.readouterr().err.splitlines() == [
        "reading videos: 0 of 40 files",
        "reading videos: 8 of 40 files, about 44 s left",
        "reading videos: 17 of 40 files, about 27 s left",
        "reading videos: done after 22 s",
    ]


def test_shares_are_said_in_percent_and_unknown_totals_in_seconds(clock, capsys):
    with Task("drift", 1.0) as task:
        task.reach(0.25)
        task.reach(0.125)
        pass_seconds(clock, task, seconds=3)
    with Task("loading a bundle") as task:
        pass_seconds(clock, task, seconds=12)
    assert capsys.readouterr().err.splitlines() == [
        "drift: 25 %, about 6 s left",
        "drift: done after 3 s",
        "loading a bundle: 2 s so far",
        "loading a bundle: 11 s so far",
        "loading a bundle: done after 12 s",
    ]


def test_short_work_says_nothing(clock, capsys):
    with Task("encoding", 3) as task:
        pass_seconds(clock, task, seconds=1)
    assert list(tracked(range(9), "encoding")) == list(range(9))
    assert capsys.readouterr().err == ""


def test_of_works_within_others_the_innermost_speaks_and_none_is_silent(clock, capsys):
    said = []

    def pass_second(*tasks: Task) -> None:
        pass_seconds(clock, *tasks, seconds=1)
        said.extend((clock.now, line.split(":")[0]) for line in capsys.readouterr().err.splitlines())

    with Task("whole", 9, "sections") as whole:
        for _ in range(3):
            with Task("part", 1.0) as part:
                for _ in range(9):
                    pass_second(whole, part)
            for _ in range(12):
                pass_second(whole)
    times = [100.0, *(moment for moment, _ in said), clock.now]
    assert max(later - earlier for earlier, later in pairwise(times)) <= LIMIT
    assert {who for moment, who in said if (moment - 100) % 21 in range(1, 9)} == {"part"}


def test_work_that_fails_is_not_called_done(clock, capsys):
    with pytest.raises(KeyError), Task("reading", 2) as task:
        pass_seconds(clock, task, seconds=3)
        raise KeyError
    assert capsys.readouterr().err == "reading: 0 %\n"


def test_a_standard_error_that_is_closed_stops_nothing(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Task("reading") as task:
        pass_seconds(clock, task, seconds=3)


@pytest.mark.parametrize(("seconds", "said"), [(3.2, "3 s"), (98, "98 s"), (100, "2 min"), (5900, "98 min"), (7200, "2.0 h")])
def test_times_are_said_as_people_say_them(seconds, said):
    assert progress.spoken_time(seconds) == said


def longest_silence(code: str, folder: Path, fast: float) -> float:
    """Seconds without a word in a file, from the line "starts" to the last; time passes `fast` times as fast."""
    before = f"from framecast import progress\nprogress.SHORT /= {fast}\nprogress.EVERY /= {fast}\n"
    file = folder / "output"
    with file.open("wb") as output:
        run = subprocess.Popen([sys.executable, "-c", before + textwrap.dedent(code)], stdout=output, stderr=output)
        last, size, longest = time.monotonic(), 0, 0.0
        while run.poll() is None:
            time.sleep(0.005)
            now, written = time.monotonic(), file.stat().st_size
            if size == 0 and b"starts" not in file.read_bytes():
                last = now  # the start of Python and the first imports are no work
            elif written != size:
                longest, last, size = max(longest, now - last), now, written
    assert run.returncode == 0 and size, file.read_text()
    return fast * longest  # its last line ends the work: what comes then is the end of Python


READ = """
    import sys, time
    from framecast.progress import tracked
    print("starts", flush=True)
    for _ in tracked([1.5, 0.2], "reading"):
        time.sleep(_)
    print("ends", flush=True)
"""


def test_a_program_that_writes_into_a_file_is_never_silent(tmp_path):
    assert longest_silence(READ, tmp_path, fast=20) < LIMIT + 20 * 0.05  # what a busy machine may be late by


def test_control_a_program_that_shows_no_progress_is_found_silent(tmp_path):
    silent = READ.replace('tracked([1.5, 0.2], "reading")', "[1.5, 0.2]")
    assert silent != READ and longest_silence(silent, tmp_path, fast=20) > 2 * LIMIT


COMMAND = """
    import time
    from framecast.cli import main
    from framecast.sample import VideoCodec

    arguments = ["decode", {tokens!r}, "--bundle", {bundle!r}, "--out", {out!r}]
    main(arguments)  # what it imports is there now
    print("starts", flush=True)
    quick = VideoCodec.decode_frame
    VideoCodec.decode_frame = lambda *arguments: time.sleep(0.3) or quick(*arguments)
    raise SystemExit(main(arguments))
"""


@pytest.mark.slow
@pytest.mark.parametrize("control", [False, True])
def test_a_command_that_writes_into_a_file_is_never_silent(tmp_path, control):
    bundle = tiny_bundle.save(tmp_path / "bundle")
    clip = tiny_bundle.generator().generate("a ring falls", 61)
    clip.save(tmp_path / "clip.mkv")
    places = {name: str(tmp_path / file) for name, file in (("tokens", "clip.fct"), ("bundle", "bundle"), ("out", "out.mkv"))}
    assert main(["encode", str(tmp_path / "clip.mkv"), "--bundle", str(bundle), "--out", places["tokens"]]) == 0
    code = COMMAND.format(**places)
    silence = longest_silence(
        f"progress.SHORT = progress.EVERY = 1e6\n{textwrap.dedent(code)}" if control else code, tmp_path, fast=5
    )
    assert silence > 2 * LIMIT if control else silence < LIMIT + 5 * 0.3


def test_a_terminal_gets_a_bar_that_fits_and_leaves_no_trace():
    parent, child = pty.openpty()
    code = (
        "import time; from framecast import progress; progress.SHORT = 0.1\n"
        f"with progress.Task('reading {'x' * 90}', 4, 'files') as task:\n    time.sleep(0.8); task.advance(); time.sleep(0.5)\n"
    )
    environment = {"PATH": "", "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": str(Path(progress.__file__).parent.parent)}
    run = subprocess.run([sys.executable, "-c", code], stderr=child, stdout=subprocess.DEVNULL, env=environment, check=True)
    os.close(child)
    written = b""
    try:
        while piece := os.read(parent, 65536):
            written += piece
    except OSError:
        pass  # the end of a terminal
    assert run.returncode == 0
    text = written.decode()
    assert "1 of 4 files" in text and "\u2026" in text and "\x1b[2K" in text
