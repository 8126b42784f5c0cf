"""Progress: one line of 80 columns on a terminal, lines with the time of the end in a file."""

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from framecast.train import progress
from framecast.train.progress import ProgressBar, ProgressLines, speed_in_words, when_done


def trainer(step: int = 0, **metrics: float) -> SimpleNamespace:
    state = SimpleNamespace(fn="fit")
    return SimpleNamespace(
        current_epoch=0,
        global_step=step,
        max_steps=20_000,
        is_global_zero=True,
        progress_bar_metrics=metrics,
        sanity_checking=False,
        state=state,
        training=True,
        loggers=[],
    )


@pytest.fixture
def screen(monkeypatch) -> Console:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(progress, "get_console", lambda: console)
    monkeypatch.setattr("lightning.pytorch.callbacks.progress.rich_progress.get_console", lambda: console)
    monkeypatch.setattr("lightning.pytorch.callbacks.progress.rich_progress.reconfigure", lambda **_: None)
    return console


@pytest.mark.parametrize("names", [("loss", "psnr", "usage", "val_psnr"), ("nats", "val_token", "val_row", "val_frame")])
def test_the_bar_is_one_line_of_80_columns(screen, names):
    bar, run = ProgressBar(refresh_rate=10), trainer(12_345, **dict.fromkeys(names, 12.3456))
    run.progress_bar_callback = bar
    bar._trainer = run
    bar.setup(run, None, "fit")
    bar._init_progress(run)
    bar.on_train_epoch_start(run, None)
    bar.on_train_batch_end(run, None, None, None, 0)
    run.global_step += 1
    bar.on_train_batch_end(run, None, None, None, 1)
    bar._stop_progress()
    with screen.capture() as capture:
        screen.print(bar.progress.make_tasks_table(bar.progress.tasks))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in capture.get().splitlines()]
    assert len(lines) == 1 and len(lines[0]) <= 80
    assert lines[0].startswith("training") and "12346/20000" in lines[0] and "left" in lines[0] and "12.346" in lines[0]
    assert "Epoch" not in lines[0]


def test_there_is_no_bar_without_a_screen(monkeypatch):
    monkeypatch.setattr(progress, "get_console", lambda: Console(file=io.StringIO()))
    assert not ProgressBar().is_enabled


def test_lines_come_often_at_first_and_seldom_later(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "get_console", lambda: Console(file=io.StringIO()))
    lines = ProgressLines()
    lines.on_train_start(trainer(), None)
    said = []
    for step in range(1, 1001):
        now[0] += 1
        lines.on_train_batch_end(trainer(step, loss=0.5, v_num=3.0), None)
        if out := capsys.readouterr().out:
            said.append((step, out))
    steps = [step for step, _ in said]
    assert steps[:4] == [1, 11, 21, 31] and steps[-2:] == [steps[-3] + 60, steps[-3] + 120]
    assert re.fullmatch(r"step 11/20000  loss 0\.5  1/s  5:33:09 left, done at .*\d\d:\d\d\n", said[1][1]), said[1][1]


def test_speeds_and_ends_are_said_as_people_say_them():
    assert [speed_in_words(speed) for speed in (12.345, 1.0, 0.25)] == ["12.3/s", "1/s", "4 s/step"]
    assert re.fullmatch(r"0:01:30 left, done at (\w\w\w \d\d \w\w\w )?\d\d:\d\d", when_done(90.4))
    assert re.search(r"done at \w\w\w \d\d \w\w\w \d\d:\d\d", when_done(3 * 86400))
