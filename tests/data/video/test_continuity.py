"""Time stamps that jump go on."""

import pytest

from framecast.data.video.continuity import Continuity


@pytest.mark.parametrize(
    ("stamps", "moved"),
    [
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5]),
        ([7, 8, 2, 3, 1, 2], [7, 8, 9, 10, 11, 12]),  # twice
        ([0, 1, 500, 501], [0, 1, 2, 3]),
        ([0, 1, 90, 91], [0, 1, 90, 91]),  # a pause
        ([0, 1, 500, 3, 4], [0, 1, 2, 3, 4]),  # one stamp out of line
        ([5, 6, 0, 8, 9], [5, 6, 7, 8, 9]),
        ([0, None, 2, 0], [0, None, 2, 3]),
        ([3, 3, 4], [3, 3, 4]),
    ],
)
def test_time_stamps_go_on(stamps, moved):
    continuity = Continuity(max_gap=100)
    pairs = zip(stamps, [*stamps[1:], None], strict=True)
    shifts = [continuity.shift(stamp, stamp, following, 1) for stamp, following in pairs]
    found = [None if stamp is None else stamp + shift for stamp, shift in zip(stamps, shifts, strict=True)]
    assert found == moved
