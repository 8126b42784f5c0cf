import pickle
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch

from framecast.data import SpriteWorld
from framecast.data.sprites import (
    CAPTION_WORDS,
    COLOURS,
    GRAVITY,
    LINEAR,
    MOTION_SHARES,
    MOTIONS,
    RESTITUTION,
    SHAPES,
    STOPS,
    Gradient,
    Pen,
    Scene,
    SpriteObject,
    caption_scene,
    describe,
    describe_at,
    floor_level,
    is_held_out,
    parse_caption,
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


def test_a_tenth_of_the_combinations_is_held_out_and_each_two_words_still_meet():
    every = set(product(SHAPES, COLOURS, MOTIONS))
    seen = {words for words in every if not is_held_out(*words)}
    assert 0.89 < len(seen) / len(every) < 0.91
    for pair in ((0, 1), (0, 2), (1, 2)):
        assert {tuple(words[i] for i in pair) for words in seen} == {tuple(words[i] for i in pair) for words in every}


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


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_beyond_the_ends_is_an_index_error(index):
    with pytest.raises(IndexError, match=f"clip {index} of a SpriteWorld of 4; wanted 0 to 3"):
        SpriteWorld(num_clips=4)[index]


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


@pytest.mark.parametrize("motion", LINEAR)
def test_linear_motion_is_exact_and_wraps(motion):
    scene = next(scene for scene in alone(motion) if scene.background.first == scene.background.last)
    frames, step = render(scene), np.array(LINEAR[motion])
    for frame in range(scene.num_frames):
        assert (scene.positions[0, frame] == (scene.objects[0].start + frame * step) % 64).all()
        assert (frames[frame] == np.roll(frames[0], tuple(frame * step[::-1]), axis=(0, 1))).all(), frame


def test_an_object_that_crosses_a_border_is_seen_on_both_sides():
    frame = render(still_scene(sprite(start=(0, 20))))[0]
    assert (frame[20, 0] == COLOURS["red"]).all() and (frame[20, 63] == COLOURS["red"]).all()


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


@pytest.mark.parametrize(("motion", "first", "last"), [("fades out", 1.0, 0.0), ("fades in", 0.0, 1.0)])
def test_fades_take_24_frames_from_frame_4(motion, first, last):
    scene = next(alone(motion))
    alpha = scene.alpha[0]
    assert (alpha[:5] == first).all() and (alpha[28:] == last).all() and alpha[16] == 0.5
    assert (np.diff(alpha[4:29]) != 0).all()
    assert np.allclose(scene.visibility[0], alpha)


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


def test_backgrounds_are_dark():
    for scene in scenes()[:200]:
        ground = scene.background.paint(scene.camera, 64, 64)
        assert ground.min() >= 0
        assert scene.camera.any() or ground.max() <= 45


def test_captions_and_their_parser_are_inverses():
    for scene in [*scenes(), *scenes(seed=9)]:
        captions = caption_scene(scene)
        for caption in captions:
            wanted = [describe_at(item, caption.start) if scene.timeline else describe(item) for item in scene.objects]
            assert parse_caption(caption.text) == wanted, caption.text
            assert set(caption.text.replace(",", "").split()) <= set(CAPTION_WORDS)


def test_a_timeline_has_a_caption_from_0_and_from_every_switch_on():
    timelines = [scene for scene in scenes() if scene.timeline]
    for scene in timelines:
        first, *later = caption_scene(scene)
        assert first.start == 0 and later
        assert [caption.start for caption in later] == sorted({item.switch for item in scene.objects if item.then})
        assert all(caption.start % 4 == 1 for caption in later)
        assert all(" then " not in caption.text for caption in (first, *later))
    assert len(timelines) > 50


def test_captions_read_as_they_should():
    red = replace(sprite("circle", "red"), motion="moves right", then="stops", switch=13)
    ring = replace(sprite("ring", "blue", (10, 10)), size="small", motion="bounces")
    star = replace(sprite("star", "orange"), motion="moves up and left", names_size=False)
    scene = still_scene(red, ring)
    assert caption_scene(scene)[0].text == "a large red circle moves right, then stops, and a small blue ring bounces"
    assert [(caption.start, caption.text) for caption in caption_scene(replace(scene, timeline=True))] == [
        (0, "a large red circle moves right, and a small blue ring bounces"),
        (13, "a large red circle stops, and a small blue ring bounces"),
    ]
    assert caption_scene(still_scene(star))[0].text == "an orange star moves up and left"
    faded = replace(still_scene(replace(star, shape="digit 7", motion="falls")), light=np.array([0.5]))
    assert caption_scene(faded)[0].text == "an orange digit 7 falls, and the light fades"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red circle",
        "an red circle falls",
        "a pink circle falls",
        "a red circle falls and a blue ring bounces",
        "a red circle falls, then bounces",
        "a red digit falls",
        "a red circle falls, and the camera pans up",
    ],
)
def test_other_texts_are_no_captions(text):
    with pytest.raises(ValueError, match="is no object of the sprite world"):
        parse_caption(text)


def test_the_words_are_fixed():
    """Prompts, tokenizers and checkpoints depend on these words; adding one is fine, dropping one breaks them."""
    assert " ".join(CAPTION_WORDS) == (
        "0 1 2 3 4 5 6 7 8 9 a an and bar behind blue bounces camera circle cross cyan digit down fades falls green "
        "in large left light magenta moves orange out pans passes red right ring small square stands star still stops "
        "the then triangle up white yellow"
    )
