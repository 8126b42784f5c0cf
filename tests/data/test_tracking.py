"""Progress of long work: a line when nothing was said for ten seconds, and none before."""

import pytest

from framecast.data import tracking
from framecast.data.tracking import Ticker, last_line, tracked


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(tracking.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(tracking, "_last_line", 0.0)
    return now


def test_a_line_comes_after_ten_seconds_of_silence(clock, capsys):
    ticker, other = Ticker("Reading videos"), Ticker("Tokenizing")
    for second in (1, 9.9, 10, 15, 21):
        clock[0] = 1000 + second
        ticker(f"file {second}")
        other("as well")  # which has been heard of just now
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["Reading videos: file 10 after 10 s", "Reading videos: file 21 after 21 s"]
    assert last_line() == 1021


def test_items_are_counted_into_a_file(clock, capsys):
    def work():
        for item in range(40):
            clock[0] += 1
            yield item

    assert list(tracked(work(), 40, "Tokenizing", "clips")) == list(range(40))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and lines[0] == "Tokenizing: 10 of 40 clips, about 30 s left, after 10 s"
