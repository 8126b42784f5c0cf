"""A world that is dreamt rightly is near the true one with the true actions alone; one that does not hear is as near with any."""

import numpy as np
import pytest
from played_worlds import MADE, Dreamer, deaf, recording, right
from studies import figure

from framecast.evaluate.worlds.horizons import world_horizon


@pytest.fixture(scope="module")
def section():
    return world_horizon(Dreamer(right), lambda share: None)


def test_the_truth_is_as_near_as_can_be_and_other_actions_are_not(section):
    assert figure(section, "PSNR over the first 16 frames: true actions") > 90
    assert figure(section, "SSIM over the first 16 frames: true actions") == pytest.approx(1)
    assert figure(section, "delta-PSNR over the first 16 frames: true actions above random ones") > 20
    assert figure(section, "delta-PSNR over the first 16 frames: true actions above those of another") > 20
    assert figure(section, "true actions above the last frame repeated: PSNR over the first 16") > 20
    targets = {one.target for one in section.figures if one.target}
    assert targets == {">= 3 (W2)", ">= 2 (W2)"}


def test_the_references_stand_beside_it_at_every_horizon(section):
    for horizon in ("of the first frame", "over the first 4", f"over the first {MADE}"):
        for name in ("last frame repeated", "reconstructed", "another episode's actions", "random actions"):
            assert any(one.name.startswith(f"PSNR {horizon}") and one.name.endswith(name) for one in section.figures)
    assert all(one.count == 4 for one in section.figures if one.name.startswith("PSNR over"))
    curves = {(curve.plot, curve.name) for curve in section.curves}
    assert ("PSNR by horizon", "true actions") in curves and len(section.curves[0].x) == MADE


def test_keys_that_do_nothing_are_worth_nothing():
    section = world_horizon(Dreamer(deaf), lambda share: None)
    assert figure(section, "delta-PSNR over the first 16 frames: true actions above random ones") == pytest.approx(0)
    above = figure(section, "true actions above the last frame repeated: PSNR over the first 16")
    assert above == pytest.approx(0, abs=1e-3)


def test_what_was_in_view_is_measured_apart(section):
    name = "PSNR of what was in view at the start, over the first 4 frames"
    assert figure(section, f"{name}: true actions") > 90
    shares = [
        figure(section, f"share of the picture that is what was in view at the start, over the first {n}") for n in (4, MADE)
    ]
    assert 100 > shares[0] > shares[1] > 0


def test_clips_show_truth_reconstruction_and_both_dreams(section):
    assert section.samples[0].frames.shape == (5 + MADE, 18, 4 * 24 + 3 * 2, 3)
    assert "dreamt with" in section.samples[0].note


def test_the_actions_of_another_episode_are_those_of_another_video():
    known = recording()
    assert all(known.another(at).file != start.file for at, start in enumerate(known.starts))
    assert np.isnan(known.starts[0].rows[0]).all()
