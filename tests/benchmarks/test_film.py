"""The film of a world: who drives it sees the road alone, and the keys that are held are lit."""

import numpy as np
import pytest

from benchmarks.film import follow_road, with_keys
from framecast.data import ActionSpace, Button

SPACE = ActionSpace((Button("left", group="turn"), Button("right", group="turn"), Button("gas")))


def road(left: int, right: int) -> np.ndarray:
    """A gray road on green, `[64, 64, 3]`."""
    frame = np.full((64, 64, 3), (102, 204, 102), np.uint8)
    frame[:, left:right] = 105
    return frame


@pytest.mark.parametrize(("edges", "keys"), [((0, 20), "gas+left"), ((44, 64), "gas+right"), ((22, 42), "gas"), ((0, 0), "gas")])
def test_the_keys_follow_the_road(edges, keys):
    assert follow_road(road(*edges), 1) == keys
    assert follow_road(road(*edges), 3) == keys.replace("gas", "").lstrip("+")


def test_a_key_that_is_held_is_lit():
    idle, held = (np.asarray(with_keys(road(22, 42), keys, SPACE)) for keys in ("", "gas"))
    assert idle.shape == held.shape == (256 + 30, 256, 3)
    assert (idle[:256] == held[:256]).all() and (idle[256:, :170] == held[256:, :170]).all()
    assert (idle[256:, 170:] != held[256:, 170:]).any()
