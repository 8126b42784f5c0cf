"""How sprites move."""

from dataclasses import replace

import numpy as np
import pytest
from sprite_scenes import alone, without

from framecast.data.sprites import (
    GRAVITY,
    LINEAR,
    RESTITUTION,
    STOPS,
    floor_level,
    render,
)


@pytest.mark.parametrize("motion", LINEAR)
def test_linear_motion_is_exact_and_wraps(motion):
    scene = next(scene for scene in alone(motion) if scene.background.first == scene.background.last)
    frames, step = render(scene), np.array(LINEAR[motion])
    for frame in range(scene.num_frames):
        assert (scene.positions[0, frame] == (scene.objects[0].start + frame * step) % 64).all()
        assert (frames[frame] == np.roll(frames[0], tuple(frame * step[::-1]), axis=(0, 1))).all(), frame


def test_what_follows_begins_at_the_switch():
    turning = [scene for motion in LINEAR for scene in alone(motion, then=True)]
    for scene in turning:
        item, path = scene.objects[0], scene.positions[0]
        steps = (np.diff(path, axis=0) + 32) % 64 - 32
        assert item.switch % 4 == 1 and 11 <= item.switch <= 22
        assert (steps[: item.switch - 1] == LINEAR[item.motion]).all()
        assert (steps[item.switch - 1 :] == LINEAR.get(item.then, (0, 0))).all()
    assert {scene.objects[0].switch for scene in turning} == {13, 17, 21}
    assert {scene.objects[0].then for scene in turning} == {STOPS, *LINEAR}


def test_bounces_stay_inside_and_reflect():
    for scene in alone("bounces", num_frames=161, count=400):
        item, path = scene.objects[0], scene.positions[0]
        steps = np.diff(path, axis=0)
        assert (path - item.radius >= -0.5).all() and (path + item.radius <= 63.5).all()
        assert (np.abs(steps) == 1).all()
        inner = (path[0] > 12) & (path[0] < 52)
        assert (steps[0] == item.heading)[inner].all()
        assert (steps.min(axis=0) == -1).all() and (steps.max(axis=0) == 1).all()


@pytest.mark.parametrize("motion", ["bounces", "falls", "stands still", "fades out"])
def test_what_minds_the_borders_never_shows_on_the_far_side(motion):
    for scene in list(alone(motion, num_frames=161, count=400))[:6]:
        big = replace(scene, height=80, width=80)  # the same path in a frame with room on the right and at the bottom
        changed = (render(big) != render(without(big, 0))).any(axis=(0, 3))
        assert not changed[64:].any() and not changed[:, 64:].any()
        assert changed[:64, :64].any()


def test_falls_obey_gravity_until_the_floor_and_settle():
    for scene in alone("falls", num_frames=241, count=400):
        item, height = scene.objects[0], scene.positions[0, :, 1]
        floor = floor_level(item, 64)
        meets = np.sqrt(2 * (floor - item.start[1]) / GRAVITY)
        assert np.allclose(np.diff(height[: int(meets) + 1], 2), GRAVITY)
        assert (height <= floor + 1e-9).all() and (scene.positions[0, :, 0] == item.start[0]).all()
        hop = height[int(meets) + 1 : int(meets + 2 * RESTITUTION * meets)]
        assert abs(floor - hop.min() - RESTITUTION**2 * (floor - item.start[1])) < 0.1
        assert np.allclose(height[-5:], floor), (item.start, meets)


def test_a_falling_object_touches_the_last_row_and_no_more():
    scene = next(alone("falls", num_frames=241, count=400))
    changed = (render(scene)[-1] != render(without(scene, 0))[-1]).any(axis=(1, 2))
    assert changed[63] and not changed[:20].any()


@pytest.mark.parametrize(("motion", "first", "last"), [("fades out", 1.0, 0.0), ("fades in", 0.0, 1.0)])
def test_fades_take_24_frames_from_frame_4(motion, first, last):
    scene = next(alone(motion))
    alpha = scene.alpha[0]
    assert (alpha[:5] == first).all() and (alpha[28:] == last).all() and alpha[16] == 0.5
    assert (np.diff(alpha[4:29]) != 0).all()
    assert np.allclose(scene.visibility[0], alpha)
