"""What is drawn by chance, how often, and what a world's settings allow."""

import numpy as np
import pytest
from sprite_scenes import scenes

from framecast.data import SpriteWorld
from framecast.data.sprites import (
    COLOURS,
    LINEAR,
    MOTION_SHARES,
    MOTIONS,
    SHAPES,
    STOPS,
    is_held_out,
)


@pytest.mark.parametrize(("combinations", "shares"), [("all", {False, True}), ("seen", {False}), ("unseen", {True})])
def test_a_world_keeps_to_its_combinations(combinations, shares):
    world = SpriteWorld(combinations=combinations)
    found = set()
    for index in range(300):
        for item in world.scene(index).objects:
            found |= {is_held_out(item.shape, item.colour, m) for m in (item.motion, item.then) if m in MOTIONS}
    assert found == shares


def test_a_world_keeps_to_its_shapes_motions_and_numbers():
    world = SpriteWorld(shapes=("ring", "digit 4"), motions=("moves left", "falls"), two_objects=1.0)
    items = [world.scene(index).objects for index in range(150)]
    assert {item.shape for pair in items for item in pair} == {"ring", "digit 4"}
    assert {item.motion for pair in items for item in pair} == {"moves left", "falls"}
    assert {item.then for pair in items for item in pair} == {None, STOPS}
    assert np.mean([len(pair) for pair in items]) > 1.9
    assert all(len(SpriteWorld(two_objects=0).scene(index).objects) == 1 for index in range(50))


def test_two_objects_differ_and_start_apart():
    pairs = [scene for scene in scenes() if len(scene.objects) == 2]
    for scene in pairs:
        first, second = scene.objects
        assert first.colour != second.colour and first.shape != second.shape
        apart = np.abs((np.subtract(first.start, second.start) + 32) % 64 - 32)
        assert np.hypot(*apart) >= first.radius + second.radius
        assert [first.motion, second.motion].count("passes behind a bar") <= 1


def test_kinds_are_drawn_at_their_rates():
    drawn = [item for scene in scenes() for item in scene.objects]
    moving = [item for item in drawn if item.motion in LINEAR]
    turning = [scene for scene in scenes() if any(item.then for item in scene.objects)]
    rates = {
        "two objects": (np.mean([len(scene.objects) == 2 for scene in scenes()]), 0.4),
        "linear": (len(moving) / len(drawn), 0.5),
        "then": (np.mean([item.then is not None for item in moving]), 0.4),
        "timeline": (np.mean([scene.timeline for scene in turning]), 0.5),
        "unnamed size": (np.mean([not item.names_size for item in drawn]), 0.25),
        "light": (np.mean([scene.light[-1] < 1 for scene in scenes()]), 0.05),
        "camera": (np.mean([scene.camera.any() for scene in scenes()]), 0.05),
    }
    assert all(abs(got - wanted) < 0.05 for got, wanted in rates.values()), rates
    assert sum(MOTION_SHARES.values()) == pytest.approx(100)
    assert {item.motion for item in drawn} == set(MOTION_SHARES)
    assert {item.shape for item in drawn} == set(SHAPES) and {item.colour for item in drawn} == set(COLOURS)
