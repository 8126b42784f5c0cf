"""What is said of a scene is what its pixels show."""

import numpy as np
import pytest
from sprite_scenes import alone, centroid, frames_inside, scenes, sprite, still_scene, without

from framecast.data.sprites import (
    SHAPES,
    render,
)


@pytest.mark.parametrize("radius", [5.5, 9.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_positions_are_where_the_pixels_are(shape, radius):
    for slant, start in ((-0.1, (20, 31)), (0.3, (30.37, 25.8))):
        scene = still_scene(sprite(shape, start=start, radius=radius, slant=slant))
        assert np.abs(centroid(scene, 0) - start).max() < 0.75


@pytest.mark.parametrize("motion", ["moves left", "moves down and right", "bounces", "falls"])
def test_positions_follow_the_pixels_through_a_clip(motion):
    crossing = [scene for scene in alone(motion) if frames_inside(scene).any()]
    for scene in crossing[:2]:
        for frame in np.flatnonzero(frames_inside(scene))[::6]:
            assert np.abs(centroid(scene, frame) - scene.positions[0, frame]).max() < 0.75
    assert len(crossing) >= 2


def test_the_bar_hides_what_passes_behind_it():
    passing = [scene for scene in alone("passes behind a bar") if scene.objects[0].size == "small"]
    for scene in passing[:8]:
        start, stop = scene.bar
        assert 12 <= stop - start <= 14
        visibility = scene.visibility[0]
        # 11 pixels of object and half a pixel of soft edge on either side: a bar of 12 leaves a trace of one edge
        assert visibility[0] == 1 and (visibility.min() == 0 if stop - start > 12 else visibility.min() < 0.01)
        assert visibility[-1] > 0.9
    assert len(passing) > 8


def test_nothing_of_an_object_is_seen_where_its_visibility_is_0():
    """Guards the truth against occlusion, wrapping and fading that only the renderer, or only the truth, knows."""
    hidden = 0
    hiding = [scene for scene in scenes()[:300] if scene.bar or (scene.alpha == 0).any()]
    for scene in hiding[:40]:
        for index in range(len(scene.objects)):
            changed = (render(scene) != render(without(scene, index))).any(axis=(1, 2, 3))
            assert not changed[scene.visibility[index] == 0].any()
            assert changed[scene.visibility[index] > 0.1].all()
            hidden += (scene.visibility[index] == 0).any()
    assert hidden > 20


def test_visibility_is_the_share_left_by_what_is_in_front():
    back, front = sprite("square", "red", (30, 30)), sprite("square", "blue", (30, 38))
    assert np.allclose(still_scene(back, front).visibility, [[8 / 15.3], [1.0]], atol=0.03)
    assert still_scene(back, front, bar=(30, 44)).visibility[1, 0] == pytest.approx(0.5, abs=0.04)
    assert (still_scene(sprite(radius=5.5), sprite("square", "blue")).visibility == [[0], [1]]).all()
