"""Reading scenes: first on true renders, then on blurred and noisy ones; and what must not be read into them."""

from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from framecast.data import SpriteWorld
from framecast.data.sprites import Scene, render
from framecast.evaluate import reading as reading_file
from framecast.evaluate.reading import Reading, SceneReader

CLIPS = 40


@cache
def reader() -> SceneReader:
    return SceneReader()


def blurred(frames: torch.Tensor) -> torch.Tensor:
    taps = torch.exp(-(torch.arange(-3, 4.0) ** 2) / 2)
    kernel = (taps[:, None] * taps / taps.sum() ** 2)[None, None].repeat(3, 1, 1, 1)
    pixels = F.pad(frames.float().permute(0, 3, 1, 2), (3, 3, 3, 3), mode="circular")
    return F.conv2d(pixels, kernel, groups=3).permute(0, 2, 3, 1).round().to(torch.uint8)


def noisy(frames: torch.Tensor) -> torch.Tensor:
    noise = 12 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))
    return (frames + noise).round().clamp(0, 255).to(torch.uint8)


@cache
def readings(kind: str) -> list[tuple[Scene, Reading]]:
    world, change = SpriteWorld(num_frames=17, seed=77), {"true": lambda x: x, "blurred": blurred, "noisy": noisy}[kind]
    return [(world.scene(index), reader().read(change(world[index].frames))) for index in range(CLIPS)]


@pytest.mark.parametrize(("kind", "least"), [("true", 0.99), ("blurred", 0.97), ("noisy", 0.97)])
def test_objects_are_read_from_pixels_alone(kind, least):
    counts, looks, bars = [], [], []
    for scene, reading in readings(kind):
        counts.append(reading.count == len(scene.objects))
        bars.append((reading.bars[8] is None) == (scene.bar is None))
        for item in scene.objects:
            found = reading.find(item.colour)
            if found is not None:
                looks.append((found.look.shape, found.look.size) == (item.shape, item.size))
    assert np.mean(counts) >= 0.95, np.mean(counts)  # an object that is wholly hidden cannot be counted
    assert np.mean(looks) >= least and len(looks) > 45, np.mean(looks)
    assert np.mean(bars) >= least


@pytest.mark.parametrize(("kind", "most"), [("true", 0.5), ("blurred", 1.0), ("noisy", 1.0)])
def test_places_are_read_to_the_pixel(kind, most):
    apart = []
    for scene, reading in readings(kind):
        for item, places in zip(scene.objects, scene.positions, strict=True):
            found = reading.find(item.colour)
            if found is not None:
                clear = np.array([look is not None for look in found.looks])
                distance = (found.positions - places + 32) % 64 - 32
                apart += list(np.hypot(*distance[clear].T))
    assert len(apart) > 600 and np.quantile(apart, 0.95) <= most, np.quantile(apart, 0.95)


def test_hidden_and_visible_are_told_apart():
    right = []
    for scene, reading in readings("true"):
        for item, share in zip(scene.objects, scene.visibility, strict=True):
            found = reading.find(item.colour)
            if found is not None and item.size == "large":
                sure = (share < 0.02) | (share > 0.4)
                right += list(found.visible[sure] == (share[sure] > 0.4))
    assert np.mean(right) > 0.99


def test_an_object_that_changes_colour_half_way_is_not_one_object():
    frames = SpriteWorld(num_frames=17, seed=5)[0].frames
    changed = torch.cat([frames[:8], frames[8:].flip(3)])  # red and blue change places
    colours = [{item.colour for item in reader().read(clip).objects} for clip in (frames, changed)]
    assert colours[0] < colours[1]


def test_a_second_object_of_the_same_colour_is_counted():
    scene = next(s for s in map(SpriteWorld(num_frames=5, seed=3).scene, range(50)) if len(s.objects) == 1 and s.bar is None)
    frames = torch.from_numpy(render(scene))
    ghost = torch.maximum(frames, frames.roll(32, dims=2).roll(32, dims=1))
    assert reader().read(frames).count == 1 and reader().read(ghost).count == 2


def test_an_empty_clip_holds_nothing():
    reading = reader().read(torch.full((5, 64, 64, 3), 20, dtype=torch.uint8))
    assert reading.objects == () and reading.count == 0 and reading.bars == (None,) * 5


@pytest.mark.parametrize("together", [7, 20, 64])
def test_a_clip_is_read_as_if_no_other_were_beside_it(monkeypatch, together):
    monkeypatch.setattr(reading_file, "_TOGETHER", together)
    world = SpriteWorld(num_frames=7, seed=79)
    clips = [
        world[0].frames,
        noisy(world[1].frames),
        torch.full_like(world[0].frames, 20),
        *(world[at].frames for at in (2, 3, 4)),
    ]
    together_read = reader().read_all(torch.stack(clips))
    assert len(together_read) == len(clips) and together_read[2].objects == ()
    for mine, alone in zip(together_read, map(reader().read, clips), strict=True):
        assert (mine.bars, mine.height, mine.width, mine.count) == (alone.bars, 64, 64, alone.count)
        assert [(i.colour, i.look, i.looks) for i in mine.objects] == [(i.colour, i.look, i.looks) for i in alone.objects]
        for one, other in zip(mine.objects, alone.objects, strict=True):
            for name in ("positions", "seen", "opacity", "misfit", "extra"):
                np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-4, err_msg=name)


def test_no_clips_give_no_readings():
    assert reader().read_all(torch.zeros(0, 5, 64, 64, 3, dtype=torch.uint8)) == []


def test_frames_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r"got frames of shape \[5, 64, 64, 3\] and torch.float32; wanted uint8 \[T, H, W, 3\]"):
        reader().read(torch.zeros(5, 64, 64, 3))
    with pytest.raises(ValueError, match=r"got clips of shape \[5, 64, 64, 3\] and torch.uint8; wanted uint8 \[N, T, H, W, 3\]"):
        reader().read_all(torch.zeros(5, 64, 64, 3, dtype=torch.uint8))
