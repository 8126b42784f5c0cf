"""What a frame is made of: its bar, and which pixels are of which colour."""

import numpy as np
import pytest

from framecast.data import SpriteWorld
from framecast.data.sprites import COLOURS
from framecast.evaluate.colours import columns_behind, find_bars, planes_of, unmix


def test_the_bar_is_found_and_nothing_is_seen_behind_it():
    picture = np.full((64, 64, 3), 20, dtype=np.uint8)
    dark = picture.copy()
    picture[:, 30:43] = 110
    bars = find_bars(planes_of(np.stack([dark, picture])))
    assert bars == [None, (30, 43)]
    behind = columns_behind(bars, 64)
    assert behind[0].sum() == 0 and np.flatnonzero(behind[1]).tolist() == list(range(28, 45))
    assert len(unmix(planes_of(np.stack([dark, picture])), behind).frame) == 0


@pytest.mark.parametrize(("columns", "level"), [((30, 34), 110), ((30, 60), 110), ((30, 43), 30)])
def test_what_is_too_narrow_too_wide_or_too_dark_is_no_bar(columns, level):
    picture = np.full((1, 64, 64, 3), 20, dtype=np.uint8)
    picture[:, :, slice(*columns)] = level
    assert find_bars(planes_of(picture)) == [None]


def test_each_pixel_is_of_one_colour_and_edges_are_of_a_part_of_it():
    picture = np.full((2, 16, 16, 3), 20, dtype=np.uint8)
    red, ground = np.array(COLOURS["red"], float), np.full(3, 20.0)
    picture[1, 4:8, 4:8] = red
    picture[1, 4:8, 8] = (ground + (red - ground) / 2).round()
    spots = unmix(planes_of(picture), np.zeros((2, 16), dtype=bool))
    assert set(spots.frame) == {1} and set(spots.colour) == {list(COLOURS).index("red")}
    rows, columns = np.divmod(spots.place, 16)
    assert sorted(zip(rows, columns, strict=True)) == [(row, column) for row in range(4, 8) for column in range(4, 9)]
    np.testing.assert_allclose(spots.share, np.where(columns == 8, 0.5, 1), atol=0.01)


def test_pixels_are_told_apart_as_by_the_formula():
    """All pixels and colours at once, without a short cut: the direction from the background, and the 5 x 5 pixels around."""
    clip = SpriteWorld(num_frames=3, seed=9, two_objects=1.0)[0].frames.numpy()
    clip = (clip + np.random.default_rng(0).normal(0, 6, clip.shape)).round().clip(0, 255).astype(np.uint8)
    palette = np.array(list(COLOURS.values()), float)
    spots = unmix(planes_of(clip), np.zeros((3, 64), dtype=bool))
    for at, picture in enumerate(clip.astype(float)):
        ground = np.sort(picture.reshape(-1, 3), axis=0)[64 * 64 // 2 - 1]
        above, directions = picture - ground, palette - ground
        lengths, along = np.linalg.norm(above, axis=2), above @ directions.T
        cosine = along / np.maximum(lengths[..., None] * np.linalg.norm(directions, axis=1), 1e-6)
        sure = np.where(lengths[..., None] > 6, lengths[..., None] ** 2 * np.maximum(cosine - 0.94, 0), 0)
        around = sum(np.roll(sure, (y, x), axis=(0, 1)) for y in range(-2, 3) for x in range(-2, 3))
        nearest = around.argmax(axis=2)
        chosen = np.take_along_axis(cosine, nearest[..., None], axis=2)[..., 0]
        wanted = np.flatnonzero((around.max(axis=2) > 0) & (chosen > 0.8) & (lengths > 34))
        mine = spots.frame == at
        assert spots.place[mine].tolist() == wanted.tolist() and len(wanted) > 50
        assert spots.colour[mine].tolist() == nearest.ravel()[wanted].tolist()
        share = np.take_along_axis(along / np.linalg.norm(directions, axis=1) ** 2, nearest[..., None], axis=2).ravel()[wanted]
        np.testing.assert_allclose(spots.share[mine], share, atol=1e-5)
