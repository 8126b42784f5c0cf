"""Verdicts on clips: true ones are right, and each thing that goes wrong is noticed as what it is."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from framecast.data import SpriteWorld
from framecast.data.sprites import BOUNCES, FALLS, LINEAR, Scene, caption_scene, render
from framecast.evaluate.adherence import ClipVerdict, Judge
from framecast.evaluate.reading import SceneReader


@cache
def tools() -> tuple[SceneReader, Judge]:
    reader = SceneReader()
    return reader, Judge(reader.templates)


def verdict(frames: torch.Tensor, caption: str) -> ClipVerdict:
    reader, judge = tools()
    return judge.judge(reader.read(frames), caption)


def clips(count: int = 400, **settings):
    """Scenes with their frames and the one caption of the whole clip."""
    world = SpriteWorld(seed=11, **settings)
    for index in range(count):
        scene = replace(world.scene(index), timeline=False)
        yield scene, caption_scene(scene)[0].text, lambda at=index: world[at].frames


def one(motion: str) -> tuple[Scene, str, torch.Tensor]:
    """A clip of one large object alone that moves so."""
    for scene, caption, frames in clips():
        item = scene.objects[0]
        plain = len(scene.objects) == 1 and not scene.camera.any() and (scene.light == 1).all() and item.then is None
        if plain and item.motion == motion and item.size == "large" and item.names_size:
            return scene, caption, frames()
    raise AssertionError(motion)


def test_true_clips_are_as_told():
    found = [verdict(frames(), caption) for _, caption, frames in clips(count=40)]
    objects = [item for clip in found for item in clip.objects]
    assert np.mean([item.right for item in objects]) >= 0.98
    assert np.mean([item.motion for item in objects]) >= 0.97
    assert np.mean([clip.count for clip in found]) >= 0.97


@pytest.mark.parametrize("motion", ["moves left", "moves up and right", BOUNCES, FALLS])
def test_a_frozen_clip_does_not_move_as_told(motion):
    _, caption, frames = one(motion)
    assert verdict(frames, caption).right
    frozen = verdict(frames[:1].expand_as(frames).contiguous(), caption).objects[0]
    assert frozen.right and not frozen.motion and frozen.frozen == 1.0


@pytest.mark.parametrize("motion", ["moves left", BOUNCES, FALLS])
def test_a_shuffled_clip_does_not_move_as_told(motion):
    _, caption, frames = one(motion)
    order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(0))
    shuffled = verdict(frames[order], caption).objects[0]
    assert not shuffled.motion and shuffled.jerk > 10 * verdict(frames, caption).objects[0].jerk + 1


def test_what_rises_does_not_fall():
    _, caption, frames = one(FALLS)
    assert verdict(frames, caption).right and not verdict(frames.flip(0), caption).objects[0].motion


def test_one_of_two_objects_that_vanishes_is_not_there():
    for scene, caption, frames in clips(two_objects=1.0):
        moving = all(item.motion in LINEAR and item.then is None for item in scene.objects)
        if len(scene.objects) == 2 and moving and not scene.camera.any() and (scene.light == 1).all():
            clip = frames().clone()
            assert verdict(clip, caption).right
            alone = torch.from_numpy(
                render(replace(scene, objects=scene.objects[:1], positions=scene.positions[:1], alpha=scene.alpha[:1]))
            )
            clip[20:] = alone[20:]
            first, second = verdict(clip, caption).objects
            assert first.right and not second.colour
            return
    raise AssertionError("no such clip")


def test_a_swapped_prompt_is_noticed_word_by_word():
    scene, caption, frames = one("moves left")
    item = scene.objects[0]
    other = {
        "colour": caption.replace(item.colour, "cyan" if item.colour != "cyan" else "red"),
        "shape": caption.replace(item.shape, "triangle" if item.shape != "triangle" else "ring"),
        "size": caption.replace("large", "small"),
        "motion": caption.replace("moves left", "moves up"),
    }
    for name, wrong in other.items():
        told = verdict(frames, wrong).objects[0]
        assert not getattr(told, name), name
        if name != "colour":
            assert [part for part in ("colour", "shape", "size", "motion") if not getattr(told, part)] == [name]
    assert not verdict(frames, f"{caption}, and a small cyan ring bounces").count


def test_an_object_that_changes_shape_half_way_has_not_one_look():
    scene, caption, frames = one("moves left")
    item = scene.objects[0]
    other = replace(scene, objects=(replace(item, shape="triangle" if item.shape != "triangle" else "ring"),))
    changed = torch.cat([frames[:17], torch.from_numpy(render(other))[17:]])
    before, after = (verdict(clip, caption).objects[0] for clip in (frames, changed))
    assert before.same_look == 1.0 and after.colour and after.same_look < 0.6


def test_a_camera_that_pans_is_taken_out():
    for scene, caption, frames in clips():
        if scene.camera.any() and len(scene.objects) == 1 and scene.objects[0].motion in LINEAR and not scene.objects[0].then:
            assert verdict(frames(), caption).objects[0].motion
            assert not verdict(frames(), caption.split(", and the camera")[0] + ", and the light fades").objects[0].motion
            return
    raise AssertionError("no such clip")
