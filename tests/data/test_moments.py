"""Moments as people type them are read, and what only looks like one is not."""

import pytest

from framecast.data.moments import split_moment


@pytest.mark.parametrize(
    ("start", "seconds"),
    [
        ("at 2", 2),
        ("AT 2S", 2),
        ("at 2 s,", 2),
        ("at 2.5 sec:", 2.5),
        ("at 2 seconds", 2),
        ("at second 2", 2),
        ("at the 2 second mark", 2),
        ("at 0:02", 2),
        ("at 00:00:02.5", 2.5),
        ("at 1:02:03", 3723),
        ("at 500ms", 0.5),
        ("at 500 milliseconds", 0.5),
        ("at 1,5s", 1.5),
        ("at .5s", 0.5),
        ("at 2. ", 2),
        ("after 2s", 2),
        ("@2s", 2),
        ("from 2s", 2),
        ("then at 2s", 2),
        ("t=2s", 2),
        ("2s", 2),
        ("2s:", 2),
        ("0:02 -", 2),
        ("[2s]", 2),
        ("(0:02)", 2),
        ("at 2m", 120),
        ("at 1m30s", 90),
        ("at 1 min 30 sec", 90),
    ],
)
def test_a_moment_is_read(start, seconds):
    assert split_moment(f"{start} it stops") == (pytest.approx(seconds), "it stops")


@pytest.mark.parametrize(
    "text",
    [
        "asleep",
        "2 red circles fall",
        "at noon it stops",
        "at 1,000s it stops",
        "at 1.2.3s it stops",
        "at 1:75 it stops",
        "at 0:00:00:02 it stops",
        "at -1s it stops",
        "at 1/2s it stops",
        "at 2e3 it stops",
        "at 2-3s it stops",
        "at 2s 500ms it stops",
        "at 16 frames it stops",
        "at frame 16 it stops",
        "at 2 hours it stops",
        "at 50% it stops",
        "at two seconds it stops",
        "in 2s it stops",
        "at nan it stops",
    ],
)
def test_what_cannot_be_read_is_no_moment(text):
    assert split_moment(text) is None


def test_a_number_of_things_stays_with_the_text():
    assert split_moment("at 2s 3 red circles fall") == (2, "3 red circles fall")
