"""A world that is dreamt rightly is near the true one with the true actions alone; one that does not hear is as near with any."""

import numpy as np
import pytest
import torch
from played_worlds import GIVEN, MADE, Dreamer, deaf, recording, right
from studies import figure

from framecast.evaluate.worlds.horizons import ALL, MOVING, world_horizon


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


def test_stretches_that_move_are_told_apart_and_the_targets_read_them():
    known = recording()
    for start, turn in zip(known.starts, (0, 0, 0, 1), strict=True):
        start.clip.actions[GIVEN:] = torch.tensor([0.0, turn])
        start.clip.frames[GIVEN:] = right(start, start.played)
    section = world_horizon(Dreamer(right, known), lambda share: None)
    title = "true actions above the last frame repeated: PSNR over the first 16 frames"
    moving, whole = (next(one for one in section.figures if one.name == f"{title}, {which}") for which in (MOVING, ALL))
    assert (moving.count, whole.count) == (1, 4) and whole.value == pytest.approx(moving.value / 4)
    assert np.isnan(moving.low) and not np.isnan(whole.low)
    assert (moving.target, whole.target) == (">= 3 (W2)", "") and moving.headline and whole.headline
    rule = next(one for one in section.figures if "less than 26 dB over the first 16 frames" in one.name)
    assert (rule.value, rule.count, rule.unit) == (25, 4, "%")


def test_if_nothing_moves_nothing_is_judged():
    known = recording(starts=3)
    for start in known.starts:
        start.clip.actions[GIVEN:] = 0
        start.clip.frames[GIVEN:] = right(start, start.played)
    section = world_horizon(Dreamer(right, known), lambda share: None)
    due = [one for one in section.figures if one.target]
    assert len(due) == 2 and all(np.isnan(one.value) and one.lacking == "no stretch moves" for one in due)


def test_figures_stand_in_tables_by_horizon(section):
    tables = {one.grid[0] for one in section.figures if one.grid}
    assert tables == {
        "What the true actions are worth, by horizon",
        "PSNR by horizon",
        "SSIM by horizon",
        "Of what was in view at the start, by horizon",
    }
    columns = dict.fromkeys(one.grid[2] for one in section.figures if one.grid[:1] == ("PSNR by horizon",))
    assert list(columns) == ["1 frame", "4 frames", "16 frames", f"{MADE} frames"]
    rows = {one.grid[1] for one in section.figures if one.grid[:1] == ("SSIM by horizon",)}
    assert rows == {"true actions", "last frame repeated", "reconstructed", "another episode's actions"}
