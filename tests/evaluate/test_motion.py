"""Where an object goes, and what counts as a motion."""

import numpy as np

from framecast.evaluate.motion import Track, heads


def test_a_track_goes_across_the_borders():
    positions = np.stack([(60 + np.arange(10)) % 64, np.full(10, 5.0)], axis=1)
    track = Track.of(positions, 64, 64)
    assert np.allclose(track.path[:, 0], 60 + np.arange(10)) and np.allclose(track.velocity, [1, 0])
    assert heads(track, "moves right") and not heads(track, "moves left") and not heads(track, "stops")
    assert track.jerk == 0 and track.frozen_share == 0


def test_a_gap_does_not_count():
    positions = np.stack([np.arange(20.0), np.zeros(20)], axis=1)
    positions[5:9] = np.nan
    track = Track.of(positions, 64, 64)
    assert heads(track, "moves right") and len(track.steps) == 14
    assert np.isnan(Track.of(np.full((4, 2), np.nan), 64, 64).velocity).all()
