"""Which part of a long clip a step learns from."""

import pytest
import tiny
import torch

from framecast.train.rewards.window import Window, draw_window

CONFIG = tiny.lm_config(sink_frames=1, context_frames=4)  # six latent frames at once


def test_a_clip_within_the_context_is_learned_from_as_a_whole():
    window = draw_window(6, 2, CONFIG)
    assert window == Window(1, 0, 6)
    assert window.learned(2, 3).tolist() == [False] * 6 + [True] * 12


def test_behind_a_gap_only_what_sees_enough_is_learned_from():
    window = Window(1, 4, 10)  # latent frames 0 and 5 to 9
    learned = window.learned(0, 1)
    assert learned.tolist() == [True, False, False, True, True, True]
    assert window.learned(9, 2).tolist() == [False] * 10 + [True] * 2


@pytest.mark.parametrize("fork", [0, 3, 19])
def test_every_window_holds_something_to_learn_and_is_as_long_as_the_context(fork):
    torch.manual_seed(0)
    windows = [draw_window(20, fork, CONFIG) for _ in range(300)]
    assert all(window.end - window.gap == 6 for window in windows)
    assert all(window.learned(fork, 1).any() for window in windows)
    assert {window.end for window in windows} == set(range(max(6, fork + 1), 21))
