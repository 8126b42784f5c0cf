"""Clips against their captions: true clips must pass, spoilt ones must not."""

import numpy as np
import pytest
from studies import erased, figure, frozen, measured

from framecast.evaluate import continuation, control, quality


@pytest.mark.parametrize("which", ["seen", "unseen"])
def test_true_clips_pass_condition_control(which):
    for name in ("colour right", "shape right", "size right", "motion right, all motions", "number of objects right"):
        assert figure(measured(control.condition_control), f"{name}, {which}") == 100, name


def test_a_still_video_does_not_score_well():
    still = measured(control.condition_control, frozen)
    assert figure(still, "shape right, seen") > 80 and figure(still, "motion right, all motions, seen") < 50
    assert figure(measured(quality.quality, frozen), "motion: frozen steps of what should move, generated") == 100
    assert figure(measured(quality.quality), "motion: frozen steps of what should move, generated") == 0


def test_an_object_that_vanishes_is_not_right():
    gone = measured(control.condition_control, erased)
    assert figure(gone, "everything right, seen") == 0 and figure(gone, "colour right, seen") < 40
    lost = measured(continuation.physics, erased)
    assert figure(lost, "position error, free motion") == pytest.approx(np.hypot(32, 32))
    assert figure(lost, "frames in which the object is found, free") < 60
