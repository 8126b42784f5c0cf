"""The distance between true clips and others."""

import pytest
from studies import figure, frozen, measured

from framecast.evaluate import distance


def test_the_distance_is_smaller_for_true_clips_than_for_frozen_ones():
    good, bad = (measured(distance.frechet, change) for change in (None, frozen))
    name = "Frechet distance (not comparable to published FVD), generated against true"
    assert figure(good, name) == pytest.approx(0, abs=1e-3) and figure(bad, name) > 0.5
