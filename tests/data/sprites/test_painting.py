"""From a scene to pixels."""

from dataclasses import replace

import numpy as np
import pytest
from sprite_scenes import scenes, sprite, still_scene

from framecast.data.sprites import (
    COLOURS,
    caption_scene,
    render,
)


def test_an_object_that_crosses_a_border_is_seen_on_both_sides():
    frame = render(still_scene(sprite(start=(0, 20))))[0]
    assert (frame[20, 0] == COLOURS["red"]).all() and (frame[20, 63] == COLOURS["red"]).all()


def test_the_light_fades_on_the_whole_picture():
    scene = next(scene for scene in scenes() if (scene.light < 1).any())
    bright = render(replace(scene, light=np.ones(33)))
    assert scene.light[0] == 1 and scene.light[-1] == pytest.approx(0.45)
    assert np.abs(render(scene)[-1] - 0.45 * bright[-1]).max() <= 0.51
    assert all(caption.text.endswith(", and the light fades") for caption in caption_scene(scene))


def test_the_camera_pans_by_half_a_pixel_a_frame():
    resting = (scene for scene in scenes() if scene.camera.any() and scene.objects[0].motion == "stands still")
    scene = next(scene for scene in resting if len(scene.objects) == 1)
    frames, way = render(scene).astype(int), int(np.sign(scene.camera[-1, 0]))
    assert (np.diff(scene.camera, axis=0) == (0.5 * way, 0)).all()
    assert all(np.abs(frames[t] - np.roll(frames[0], -way * t // 2, axis=1)).max() <= 1 for t in range(0, 33, 2))
    assert (frames[0] != frames[2]).any()
    assert caption_scene(scene)[0].text.endswith(f"camera pans {'right' if way > 0 else 'left'}")


def test_backgrounds_are_dark():
    for scene in scenes()[:200]:
        ground = scene.background.paint(scene.camera, 64, 64)
        assert ground.min() >= 0
        assert scene.camera.any() or ground.max() <= 45
