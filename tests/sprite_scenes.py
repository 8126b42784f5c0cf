"""Scenes of the sprite world, found and made, for tests."""

from dataclasses import replace
from functools import cache

import numpy as np

from framecast.data import SpriteWorld
from framecast.data.sprites import (
    Gradient,
    Pen,
    Scene,
    SpriteObject,
    render,
)


@cache
def scenes(num_frames=33, seed=0, count=1500):
    world = SpriteWorld(num_frames=num_frames, seed=seed)
    return [world.scene(index) for index in range(count)]


def alone(motion, then=False, **settings):
    """Scenes of one object with the given motion under a still camera and steady light."""
    for scene in scenes(**settings):
        item = scene.objects[0]
        plain = len(scene.objects) == 1 and not scene.camera.any() and (scene.light == 1).all()
        if plain and item.motion == motion and (item.then is not None) == then:
            yield scene


def still_scene(*items, bar=None):
    """One frame with the given objects at their starts."""
    positions = np.array([[item.start] for item in items], dtype=float)
    ground = Gradient((9, 9, 12), (9, 9, 12), vertical=True)
    return Scene(items, positions, np.ones((len(items), 1)), bar, ground, np.ones(1), np.zeros((1, 2)), 64, 64)


def sprite(shape="circle", colour="red", start=(32, 32), radius=9.0, slant=0.0):
    return SpriteObject(shape, colour, "large", radius, "stands still", start, 1.0, (0, 0), Pen(slant, 0.17))


def without(scene, index):
    """The same scene, had object `index` never been there."""
    kept = [other for other in range(len(scene.objects)) if other != index]
    objects = tuple(scene.objects[other] for other in kept)
    return replace(scene, objects=objects, positions=scene.positions[kept], alpha=scene.alpha[kept])


def centroid(scene, frame):
    """Mean (x, y) of the pixels that the one object changes, weighted by how much it changes them."""
    change = np.abs(render(scene)[frame].astype(int) - render(without(scene, 0))[frame]).sum(axis=-1)
    rows, columns = np.indices(change.shape)
    return np.array([(columns * change).sum(), (rows * change).sum()]) / change.sum()


def frames_inside(scene):
    """In which frames the first object is clear of the borders."""
    return ((scene.positions[0] > 12) & (scene.positions[0] < 52)).all(axis=-1)
