"""Clips side by side."""

import tiny_bundle

from framecast.evaluate.real.panels import side_by_side


def test_panels_keep_the_pixels_and_say_what_was_made():
    clips = [tiny_bundle.frames(5, seed) for seed in range(2)]
    shown = side_by_side(clips, 2, (False, True))
    assert shown.shape == (5, 18, 24 + 2 + 24, 3)
    assert (shown[:, :16, :24] == clips[0]).all() and (shown[:, :16, 26:] == clips[1]).all()
    left, right = shown[:, 17, 10], shown[:, 17, 40]
    assert (left == left[0]).all() and (right[:2] == left[0]).all() and (right[2:] != left[0]).any(dim=1).all()
