"""The second reader on true clips, spoilt ones, and captions that do not fit."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from framecast.data import SpriteWorld
from framecast.data.sprites import SHAPES, caption_scene, render
from framecast.evaluate import SecondReader

MARKS = ("colour", "shape", "size", "motion")


@cache
def reader() -> SecondReader:
    return SecondReader()


@cache
def clip(index: int, frames: int = 17) -> tuple[torch.Tensor, str]:
    world = SpriteWorld(num_frames=frames, seed=2000, two_objects=0.6)
    return world[index].frames, caption_scene(replace(world.scene(index), timeline=False))[0].text


def spoilt(frames: torch.Tensor) -> torch.Tensor:
    """Blurred by a pixel, with noise of 12 levels."""
    taps = torch.exp(-(torch.arange(-3, 4.0) ** 2) / 2)
    kernel = (taps[:, None] * taps / taps.sum() ** 2)[None, None].repeat(3, 1, 1, 1)
    pixels = F.conv2d(F.pad(frames.float().permute(0, 3, 1, 2), (3, 3, 3, 3), mode="circular"), kernel, groups=3)
    noise = 12 * torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0))
    return (pixels + noise).permute(0, 2, 3, 1).round().clamp(0, 255).to(torch.uint8)


def test_true_clips_are_as_told_also_if_they_are_spoilt():
    for index in range(6):
        frames, caption = clip(index)
        assert reader().judge(frames, caption).right, caption
        assert reader().judge(spoilt(frames), caption).right, caption


@pytest.mark.slow
@pytest.mark.parametrize("frames", [17, 33])
@pytest.mark.parametrize(("change", "least"), [(None, 0.97), (spoilt, 0.93)])
def test_each_mark_is_right_as_often_as_is_promised(frames, change, least):
    marks: dict[str, list[float]] = {mark: [] for mark in (*MARKS, "number")}
    for index in range(256):
        shown, caption = clip(index, frames)
        verdict = reader().judge(shown if change is None else change(shown), caption)
        marks["number"].append(verdict.number)
        for mark in MARKS:
            marks[mark] += [float(getattr(one, mark)) for one in verdict.objects]
    assert min(np.nanmean(found) for found in marks.values()) >= least, {m: np.nanmean(f) for m, f in marks.items()}


def test_what_a_caption_says_wrongly_is_found():
    frames, caption = clip(4)
    assert caption == "a small red star moves down and left"
    for mark, wrong in {
        "colour": caption.replace("red", "cyan"),
        "shape": caption.replace("star", "ring"),
        "size": caption.replace("small", "large"),
        "motion": caption.replace("down and left", "left"),
    }.items():
        (one,) = reader().judge(frames, wrong).objects
        assert not getattr(one, mark), wrong
        assert mark == "colour" or all(getattr(one, other) for other in MARKS if other != mark), wrong
    verdict = reader().judge(frames, f"{caption}, and a white circle stands still")
    assert not verdict.number and not verdict.right and verdict.objects[0].shape and not verdict.objects[1].colour


def test_a_clip_that_stands_still_or_ends_early_is_not_right():
    frames, caption = clip(4)
    assert not reader().judge(frames[:1].expand_as(frames), caption).objects[0].motion
    gone = frames.clone()
    gone[8:] = frames[0, 0, 0]
    assert not reader().judge(gone, caption).objects[0].colour
    twice = torch.maximum(frames, frames.roll(32, dims=2))
    assert not reader().judge(twice, caption).number


@pytest.mark.parametrize("kept", [1, 2])
def test_a_shape_that_flickers_is_not_right(kept):
    frames, caption = clip(4)
    scene = SpriteWorld(num_frames=17, seed=2000, two_objects=0.6).scene(4)
    other = torch.from_numpy(render(replace(scene, objects=(replace(scene.objects[0], shape="ring"),))))
    frames = torch.where((torch.arange(17) % (kept + 1) < kept)[:, None, None, None], frames, other)
    for shown in (caption, caption.replace("star", "ring")):
        (one,) = reader().judge(frames, shown).objects
        assert not one.shape
        assert one.colour and one.motion


def test_frames_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r"got frames of shape \[5, 64, 64, 3\] and torch.float32; wanted uint8 .* pass the"):
        reader().judge(torch.zeros(5, 64, 64, 3), "a red ring falls")
    with pytest.raises(ValueError, match='got the caption "a dog runs"'):
        reader().judge(torch.zeros(5, 64, 64, 3, dtype=torch.uint8), "a dog runs")


def test_nothing_is_found_in_an_empty_clip():
    verdict = reader().judge(torch.full((9, 64, 64, 3), 20, dtype=torch.uint8), f"a red {SHAPES[0]} falls")
    assert not verdict.number and not verdict.objects[0].colour
