"""Ten steps of each network, on the machine that this runs on."""

import pytest

from framecast.data import SpriteWorld
from framecast.train.losses import ReconstructionLoss
from framecast.train.own import speed
from framecast.train.own.sizes import lm_shape, tokenizer_shape

WORLD = SpriteWorld(num_clips=6, num_frames=17, size=32)


def test_steps_of_a_tokenizer_are_timed_with_their_clips():
    loss = ReconstructionLoss(l1=0.0, l2=4.0, structure=0.0)
    found = speed.tokenizer_speed(tokenizer_shape("tiny", 32), (8, 5, 5, 5), loss, WORLD, 2, 0, limit=0.0)
    assert 0.01 < found.step < 60 and 0 < found.clip < found.step and found.parameters > 10_000


def test_steps_of_a_lm_are_timed():
    found = speed.lm_speed(lm_shape("tiny", 10), 1000, (4, 4), 5, 2, limit=0.0)
    assert 0.01 < found.step < 60 and found.parameters > 100_000


def test_frames_of_such_networks_are_timed():
    found = speed.making_speed(tokenizer_shape("tiny", 32), (8, 5, 5, 5), lm_shape("tiny", 10), (32, 32, 12.0), guided=False)
    assert 0.0001 < found < 10


@pytest.mark.parametrize(("limit", "steps"), [(0.0, 2), (1000.0, 10)])
def test_ten_steps_are_made_unless_they_are_slow(limit, steps):
    made = []
    speed._timed(lambda: made.append(1), limit)
    assert len(made) == 1 + steps  # the first one warms up


def test_memory_is_that_of_a_process():
    assert 10**7 < speed.peak_memory() < 10**12
