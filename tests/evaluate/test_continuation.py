"""Physics: true clips are where they should be, and others are not."""

from studies import figure, frozen, measured

from framecast.evaluate import continuation


def test_true_clips_are_where_they_should_be_and_frozen_ones_are_not():
    for kind in ("free motion", "bounces"):
        assert figure(measured(continuation.physics), f"position error, {kind}") < 0.3
        assert figure(measured(continuation.physics, frozen), f"position error, {kind}") > 5
