"""Pieces of one colour: what is taken apart from ground, bar and edges."""

import numpy as np

from framecast.data.sprites import COLOURS
from framecast.evaluate.second.pieces import apart, bar_columns, ground, nearest_colour, round_mean, take_apart, widened

NAMES = tuple(COLOURS)


def picture(ground_colour=(10, 16, 42)) -> np.ndarray:
    return np.tile(np.array(ground_colour, dtype=np.uint8), (1, 64, 64, 1))


def test_each_colour_has_its_name_also_faded_and_in_dimmed_light():
    palette = np.array(list(COLOURS.values()), dtype=np.float32)
    for share in (1.0, 0.4):
        assert nearest_colour(share * (palette - [10, 16, 42])).tolist() == list(range(len(NAMES)))


def test_a_piece_across_the_border_is_one():
    frames = picture()
    frames[0, 20:30, :5] = frames[0, 20:30, 59:] = COLOURS["red"]
    (piece,) = take_apart(frames).found
    assert NAMES[piece.colour] == "red" and len(piece.pixels) == 100
    assert abs(apart(piece.centre, np.array([63.5, 24.5]), np.array([64, 64]))).max() < 0.1


def test_parts_of_one_object_are_one_piece_and_far_ones_two():
    frames = picture()
    frames[0, 20:34, 20:24] = frames[0, 20:34, 30:34] = COLOURS["green"]
    assert len(take_apart(frames).found) == 1
    frames[0, 50:60, 50:60] = COLOURS["green"]
    assert sorted(len(piece.pixels) for piece in take_apart(frames).found) == [100, 112]


def test_edges_and_mixtures_are_no_pieces():
    frames = picture()
    frames[0, 10:26, 10:26], frames[0, 26:42, 10:26] = COLOURS["red"], COLOURS["yellow"]
    frames[0, 25:27, 10:26] = COLOURS["orange"]
    assert [NAMES[piece.colour] for piece in take_apart(frames).found] == ["red", "yellow"]


def test_the_bar_is_found_and_a_white_object_is_none():
    frames = picture()
    frames[0, :, 20:33] = 110
    frames[0, 5:20, 40:55] = COLOURS["white"]
    assert np.flatnonzero(bar_columns(frames)[0]).tolist() == list(range(20, 33))
    assert widened(bar_columns(frames)).sum() == 17
    (piece,) = take_apart(frames).found
    assert NAMES[piece.colour] == "white"
    assert not bar_columns(picture()).any() and take_apart(picture()).found == ()


def test_a_ground_that_slopes_is_found_beside_large_objects():
    ramp = np.linspace(4, 42, 64)[None, None, :, None].repeat(64, 1).repeat(3, 3)
    frames = ramp.astype(np.float32)
    frames[0, 5:25, 20:40] = frames[0, 30:50, 20:40] = 250
    assert np.abs(ground(frames, np.ones((1, 64), dtype=bool)) - ramp).max() < 1


def test_the_middle_of_places_around_the_border_is_at_the_border():
    place = round_mean(np.array([63, 0, 1]), np.ones(3), 64)
    assert min(place, 64 - place) < 1e-6
