"""What is pressed while a world is measured, and the figures of it."""

from itertools import islice

import pytest

from benchmarks.play import figures, keys, table
from framecast.data.actions import ActionSpace, Axis, Button

SPACE = ActionSpace((Button("left", "ArrowLeft"), Button("wave")), (Axis("wheel", ("KeyA", "KeyD")),))


def test_keys_are_those_of_the_world_and_the_same_for_a_seed():
    pressed = list(islice(keys(SPACE, 3), 100))
    assert {code for code, _ in pressed} == {"ArrowLeft", "KeyA", "KeyD"}
    assert all(0.1 < seconds < 1 for _, seconds in pressed) and pressed == list(islice(keys(SPACE, 3), 100))
    with pytest.raises(ValueError, match="got a world without keys"):
        next(keys(ActionSpace((Button("wave"),)), 0))


def test_figures():
    report = figures([float(number) for number in range(1, 102)])
    assert (report["seen"], report["p50"], report["p95"], report["most"]) == (101, 51.0, 96.0, 101.0)
    with pytest.raises(ValueError, match="got 1 keys that were seen; wanted 2 or more; play longer"):
        figures([4.0])
    assert table({**report, "seconds": 60.0, "frames_per_second": 12.0}).row_count == 4
