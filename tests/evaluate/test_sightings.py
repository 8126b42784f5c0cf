"""Which objects clips hold, before any shape is judged."""

import numpy as np

from framecast.evaluate.colours import Spots
from framecast.evaluate.sightings import cut_out, find_objects

SIZE = 32


def spots_of(masks: dict[tuple[int, int], np.ndarray]) -> Spots:
    """Spots of masks `[SIZE, SIZE]` by frame and colour."""
    parts = [
        (frame, colour, place, mask.flat[place]) for (frame, colour), mask in masks.items() for place in np.flatnonzero(mask)
    ]
    frame, colour, place, share = zip(*parts, strict=True)
    return Spots(np.array(frame), np.array(colour), np.array(place), np.array(share, dtype=np.float32))


def square(row: int, column: int, side: int = 5, share: float = 1.0) -> np.ndarray:
    """A square around a pixel, across the borders."""
    mask = np.zeros((SIZE, SIZE), dtype=np.float32)
    steps = np.arange(side) - side // 2
    mask[np.ix_((row + steps) % SIZE, (column + steps) % SIZE)] = share
    return mask


def test_an_object_is_seen_long_enough_large_enough_and_bright_enough():
    masks = {(frame, 0): square(10, frame + 3) for frame in range(4)}
    masks |= {(0, 1): square(20, 20)}  # for a quarter of the time
    masks |= {(frame, 2): square(25, 10, 2) for frame in range(4)}  # four pixels
    masks |= {(frame, 3): square(25, 25, share=0.3) for frame in range(4)}  # dark
    masks |= {(frame, 4): square(2, 18, share=0.9) for frame in (2, 3)}
    masks |= {(frame, 4): square(0, 31, share=0.5) for frame in range(5, 8)}  # in the second clip
    found = find_objects(spots_of(masks), clips=2, length=4, height=SIZE, width=SIZE)
    assert found.clip.tolist() == [0, 0, 1] and found.colour.tolist() == [0, 4, 4]
    assert found.whose.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2] and found.frame.tolist() == [0, 1, 2, 3, 2, 3, 5, 6, 7]
    assert found.centres.tolist() == [[3, 10], [4, 10], [5, 10], [6, 10], [18, 2], [18, 2], *[[31, 0]] * 3]
    np.testing.assert_allclose(found.opacity, [1, 1, 1, 1, 0.9, 0.9, 0.5, 0.5, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.everywhere, 25)
    table = found.over_time(found.opacity, 0.0)
    np.testing.assert_allclose(table, [[1, 1, 1, 1], [0, 0, 0.9, 0.9], [0, 0.5, 0.5, 0.5]], rtol=1e-6)


def test_opacity_is_that_of_the_brightest_tenth_of_the_pixels():
    mask = square(10, 10, 7)
    mask[mask > 0] = np.random.default_rng(0).permutation(np.linspace(0.5, 1.2, 49))
    found = find_objects(spots_of({(0, 0): mask}), 1, 1, SIZE, SIZE)
    np.testing.assert_allclose(found.opacity, np.sort(mask[mask > 0])[::-1][49 // 10], rtol=1e-6)


def test_a_crop_goes_across_the_borders_and_says_what_covers():
    spots = spots_of({(0, 0): square(0, 31), (0, 1): square(0, 3, 3)})
    behind = np.zeros((1, SIZE), dtype=bool)
    behind[0, 27] = True
    found = find_objects(spots, 1, 1, SIZE, SIZE)
    seen, free = cut_out(found, spots, behind, SIZE, around=4)
    assert found.colour.tolist() == [0, 1]
    wanted = np.zeros((9, 9))
    wanted[2:7, 2:7] = 1
    assert np.array_equal(seen[0], wanted)
    covered = np.zeros((9, 9), dtype=bool)
    covered[:, 0] = covered[3:6, 7:] = True  # the bar, and what is seen of the other object
    assert np.array_equal(free[0], ~covered)
