"""Cuts are found, and what only looks like one is not."""

import os
import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from framecast.data import VideoReader
from framecast.data.shots import Shots

REAL = Path(os.environ.get("FRAMECAST_REAL_VIDEO", Path(__file__).resolve().parents[2] / "../shared/data/real"))
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real videos; set FRAMECAST_REAL_VIDEO to a folder")


def scene(seed: int, height: int = 64, width: int = 256) -> np.ndarray:
    """uint8 `[H, W, 3]`: rectangles of many sizes and colours, on a shaded ground."""
    generator = np.random.default_rng(seed)
    shade = np.linspace(*generator.uniform(0.4, 1.2, 2), height)[:, None, None]
    picture = np.broadcast_to(generator.uniform(40, 180, 3) * shade, (height, width, 3)).copy()
    for _ in range(18 * width // 64):
        row, column, rows, columns = generator.integers((0, 0, 4, 4), (height, width, 24, 24))
        picture[row : row + rows, column : column + columns] += generator.uniform(-70, 70, 3)
    return picture.clip(0, 255).astype(np.uint8)


def still(seed: int, num_frames: int = 12) -> np.ndarray:
    return np.repeat(scene(seed)[None, :, :64], num_frames, 0)


def pan(seed: int, speed: int, num_frames: int = 12) -> np.ndarray:
    wide = scene(seed)
    return np.stack([wide[:, speed * index :][:, :64] for index in range(num_frames)])


def lit(frames: np.ndarray, light: list[float]) -> np.ndarray:
    return (frames * np.array(light)[:, None, None, None]).clip(0, 255).astype(np.uint8)


def noisy(frames: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 12, frames.shape)
    return (frames + noise).clip(0, 255).astype(np.uint8)


def with_jumping_spot(frames: np.ndarray) -> np.ndarray:
    frames, generator = frames.copy(), np.random.default_rng(1)
    for frame in frames:
        row, column = generator.integers(0, 52, 2)
        frame[row : row + 12, column : column + 12] = (250, 30, 30)
    return frames


def starts(frames: np.ndarray) -> list[int]:
    shots = Shots()
    return [index for index, frame in enumerate(frames) if shots.begins(frame)]


FADE = [1.0, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
ONE_SHOT = {
    "still": still(0),
    "pan": pan(0, 3),
    "fast pan": pan(0, 15),
    "noise": noisy(still(1)),
    "noise in the dark": noisy(lit(still(1), [0.3] * 12)),
    "a fade through black": lit(still(2), FADE),
    "a flash": lit(still(2), [1, 1, 1, 1, 1, 2.2, 1.6, 1, 1, 1, 1, 1]),
    "a white flash": np.concatenate([still(2, 6), np.full((1, 64, 64, 3), 255, np.uint8), still(2, 5)]),
    "a small object that jumps": with_jumping_spot(still(3)),
}


@pytest.mark.parametrize("name", ONE_SHOT)
def test_one_shot_is_one_shot(name):
    assert starts(ONE_SHOT[name]) == [0]


@pytest.mark.parametrize("name", ONE_SHOT)
def test_the_same_is_cut_where_another_scene_follows(name):
    """The control: whatever goes on in a shot, its end is seen."""
    assert starts(np.concatenate([ONE_SHOT[name], still(9)])) == [0, 12]


def test_another_scene_after_black_is_another_shot():
    faded = np.concatenate([lit(still(2, 7), FADE[:7]), lit(still(4, 5), FADE[7:])])
    assert len(starts(faded)) == 2 and starts(faded)[1] in (7, 8)
    assert starts(np.concatenate([np.zeros_like(still(2)), still(2)]))[-1] == 12  # black before the first scene


def test_an_object_that_comes_into_an_empty_picture_begins_no_shot():
    frames = np.full((12, 64, 64, 3), 90, np.uint8)
    for index in range(4, 12):
        frames[index, 20:36, : 3 * index] = (250, 30, 30)
    assert starts(frames) == [0]


@pytest.mark.parametrize("times", [(1, 1), (3, 5), (0.25, 0.25), (12, 8)])
def test_frames_have_any_size(times):
    rows, columns = ((np.arange(int(64 * each)) / each).astype(int) for each in times)
    frames = np.concatenate([pan(5, 4), pan(6, 4)])[:, rows][:, :, columns]
    assert starts(frames) == [0, 12]


def test_nothing_but_one_picture_is_kept():
    shots, sizes = Shots(), []
    for frame in np.concatenate([pan(5, 4), pan(6, 4)]):
        shots.begins(frame)
        sizes.append(sum(value.nbytes for value in vars(shots._last).values()))
    assert len(set(sizes)) == 1 and sizes[0] < 400_000


@needs_real
def test_joins_of_real_clips_are_found_and_nothing_else():
    """The full figures stand at `Shots`; these are some of its clips."""
    chosen = random.Random(0)
    names = ["bee_01", "bottle_01", "bolt_01", "asl_eat", "flower_01", "person_01", "walkers_01", "butterfly_01"]
    clips = {}
    for name in names:
        with VideoReader(REAL / f"clips/{name}.mp4", fps=12, size=64) as reader:
            clips[name] = np.stack(list(islice(reader, 30)))
    assert all(starts(clip) == [0] for clip in clips.values())
    for _ in range(20):
        one, other = chosen.sample(names, 2)
        before = clips[one][: chosen.randrange(6, len(clips[one]))]
        assert starts(np.concatenate([before, clips[other]])) == [0, len(before)], (one, other)
