"""The sprite world as a source of clips."""

import pickle

import pytest
import torch

from framecast.data import SpriteWorld
from framecast.data.sprites import (
    render,
)


def test_same_seed_and_index_give_the_same_clip_whatever_came_before_and_however_many_there_are():
    world, other = SpriteWorld(seed=5), SpriteWorld(seed=5, num_clips=8)
    clips = [world[index] for index in range(8)]
    for index in (7, 0, 3):
        again = other[index]
        assert torch.equal(again.frames, clips[index].frames)
        assert (again.captions, again.name) == (clips[index].captions, f"sprites/5/{index}")


def test_seeds_and_indices_are_different_worlds():
    captions = [SpriteWorld(seed=seed)[index].captions[0].text for seed in (0, 1, 2) for index in range(8)]
    assert len(set(captions)) == len(captions)


def test_a_clip_has_the_shape_that_its_world_promises():
    world = SpriteWorld(num_clips=3, num_frames=9, size=48, fps=8)
    clip = world[2]
    assert clip.frames.dtype == torch.uint8
    assert clip.frames.shape == (world.num_frames, world.height, world.width, 3) == (9, 48, 48, 3)
    assert (len(world), world.fps, clip.fps) == (3, 8.0, 8.0)
    assert clip.scene.positions.shape == (len(clip.scene.objects), 9, 2)
    assert clip.scene.visibility.shape == clip.scene.alpha.shape == (len(clip.scene.objects), 9)


@pytest.mark.parametrize("num_frames", [1, 2, 5, 17])
@pytest.mark.parametrize("size", [32, 96])
def test_any_length_and_size_can_be_drawn(num_frames, size):
    world = SpriteWorld(num_frames=num_frames, size=size)
    assert all(world[index].frames.shape == (num_frames, size, size, 3) for index in range(30))


def test_clips_travel_between_processes():
    clip = SpriteWorld()[3]
    copy = pickle.loads(pickle.dumps(clip))
    assert torch.equal(copy.frames, clip.frames)
    assert (render(copy.scene) == clip.frames.numpy()).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 31},
        {"size": -64},
        {"num_frames": 0},
        {"num_clips": 0},
        {"num_clips": 1.5},
        {"seed": -1},
        {"fps": 0},
        {"speeds": ()},
        {"speeds": (1.0, 0.0)},
        {"radii": (9.0, 5.5)},
        {"radii": (5.5, 40.0)},
        {"combinations": "new"},
        {"combinations": "unseen", "shapes": ("star",), "motions": ("moves left",), "two_objects": 0},
        {"shapes": ("circle", "blob")},
        {"shapes": ("circle",)},
        {"shapes": ()},
        {"motions": ("flies",)},
        {"motions": ("bounces", "passes behind a bar")},
        {"two_objects": 1.5},
    ],
)
def test_settings_out_of_range_are_named(settings):
    (name, value), *_ = settings.items()
    with pytest.raises(ValueError, match=f"^{name} (is|are) ") as error:
        SpriteWorld(**settings)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_beyond_the_ends_is_an_index_error(index):
    with pytest.raises(IndexError, match=f"clip {index} of a SpriteWorld of 4; wanted 0 to 3"):
        SpriteWorld(num_clips=4)[index]
