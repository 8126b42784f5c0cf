"""A number with its noun."""

from framecast.data.counted import counted


def test_one_has_no_s():
    assert [counted(number, "clip") for number in (0, 1, 1200)] == ["0 clips", "1 clip", "1,200 clips"]
