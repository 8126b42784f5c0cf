"""Progress where nobody has a terminal: lines, so that a log is never silent for long."""

import pytest

from framecast.evaluate import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by four seconds with each look at it."""
    now = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(now)))


def test_long_work_says_how_far_it_is(clock, capsys):
    assert list(progress.tracked(range(9), "encoding")) == list(range(9))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["encoding: 33 % after 12 s", "encoding: 67 % after 24 s", "encoding: 100 % after 36 s"]


def test_short_work_says_nothing(capsys):
    assert list(progress.tracked(range(9), "encoding")) == list(range(9))
    assert capsys.readouterr().err == ""


def test_a_section_says_that_it_begins_and_ends(clock, capsys):
    with progress.shown_progress(progress.AllLines) as begin:
        update = begin("bundle: drift")
        for share in (0.5, 0.6, 0.7, 1.0, 1.0):
            update(share)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["bundle: drift: begins", "bundle: drift: 70 % after 12 s", "bundle: drift: done after 16 s"]
