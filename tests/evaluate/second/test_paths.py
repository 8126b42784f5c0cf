"""Motions from paths: the true one fits, and others do not."""

import numpy as np
import pytest

from framecast.data.sprites import (
    BOUNCES,
    FADES_IN,
    FADES_OUT,
    FALLS,
    LINEAR,
    PASSES,
    STANDS,
    ObjectDescription,
    Pen,
    SpriteObject,
    trajectory,
)
from framecast.evaluate.second.looks import ShapeAndSize
from framecast.evaluate.second.paths import Seen, fitted, moves, unrolled

STARTS = {BOUNCES: (20, 40), FALLS: (30, 14), PASSES: (10, 30)}


def told(motion: str, then: str | None = None) -> ObjectDescription:
    return ObjectDescription("circle", "red", "small", motion, then)


def seen(motion: str, frames: int = 33, then: str | None = None, error: float = 0.3) -> Seen:
    """A circle that moves so, behind a bar if it passes one, its places a little off."""
    heading = {BOUNCES: (1, 1), PASSES: (1, 0)}.get(motion, LINEAR.get(motion, (0, 0)))
    start = STARTS.get(motion, (30, 30))
    switch = 1 + frames // 8 * 4 if then else None
    item = SpriteObject("circle", "red", "small", 5.5, motion, start, 1.0, heading, Pen(0, 0.16), then, switch)
    path = trajectory(item, frames, 64, 64) + np.random.default_rng(0).normal(0, error, (frames, 2))
    light, bars = np.ones(frames), np.zeros((frames, 64), dtype=bool)
    if motion in (FADES_IN, FADES_OUT):
        ramp = np.clip((np.arange(frames) - 4) / 24, 0, 1)
        light = ramp if motion == FADES_IN else 1 - ramp
    if motion == PASSES:
        bars[:, 18:31] = True
        light = (np.abs(path[:, 0] - 24) > 9).astype(float)
    times = np.flatnonzero(light > 0.15)
    return Seen(times, path[times], light, bars, ShapeAndSize("circle", "small"), 5.5, 64, (1.0,))


@pytest.mark.parametrize("frames", [17, 33])
@pytest.mark.parametrize("motion", ["moves left", "moves up and right", STANDS, BOUNCES, FALLS, PASSES, FADES_OUT, FADES_IN])
def test_a_motion_is_known_from_all_others(motion, frames):
    own = seen(motion, frames)
    alike = {STANDS: {FADES_IN, FADES_OUT}, FADES_IN: {STANDS}, FADES_OUT: {STANDS}}.get(motion, set())
    alike |= {"moves right"} if motion == PASSES else set()
    if frames == 17:  # before the first turn
        alike |= {BOUNCES: {"moves down and right"}, "moves up and right": {BOUNCES}}.get(motion, set())
    others = {*LINEAR, STANDS, BOUNCES, FALLS, PASSES, FADES_OUT, FADES_IN} - alike - {motion}
    assert moves(own, told(motion))
    assert [other for other in sorted(others) if moves(own, told(other))] == []


def test_a_second_motion_is_known():
    turned = seen("moves left", then="moves up")
    assert moves(turned, told("moves left", "moves up"))
    assert not any(moves(turned, told(*pair)) for pair in (("moves left", "stops"), ("moves up", "moves left"), ("moves left",)))
    assert moves(seen("moves down", then="stops"), told("moves down", "stops"))


def test_an_object_that_never_comes_out_does_not_pass():
    own = seen(PASSES)
    gone = own.times < 20
    light = np.where(np.arange(33) < 20, own.light, 0)
    assert not moves(Seen(own.times[gone], own.path[gone], light, own.bars, own.look, 5.5, 64, (1.0,)), told(PASSES))
    assert not moves(Seen(own.times, own.path, own.light, own.bars & False, own.look, 5.5, 64, (1.0,)), told(PASSES))


def test_of_few_places_no_motion_is_told():
    own = seen(STANDS)
    assert not moves(Seen(own.times[:4], own.path[:4], own.light, own.bars, own.look, 5.5, 64, (1.0,)), told(STANDS))


def test_a_line_is_fitted_to_what_is_not_far_off():
    times = np.arange(20)
    path = np.stack([3 + times, 5 - 0.5 * times], axis=1)
    path[7] += 30
    line = fitted(times, path)
    assert np.allclose(line.velocity, [1, -0.5]) and line.holds


def test_a_path_goes_on_beyond_the_border():
    assert unrolled(np.array([[62.0, 5], [1, 5], [3, 4]]), np.array([64, 64])).tolist() == [[62, 5], [65, 5], [67, 4]]
