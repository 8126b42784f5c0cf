"""Continuations are near the truth, frozen or wild, and the figures say which."""

from dataclasses import replace

import pytest
import tiny_bundle
from real_videos import SETTINGS, Known, still, truth, wild, write_folder
from studies import figure

from framecast.evaluate.real.continuation import video_continuation
from framecast.sample import load_bundle


@pytest.fixture(scope="module")
def study_of(tmp_path_factory):
    place = tmp_path_factory.mktemp("continuation")
    bundle = load_bundle(tiny_bundle.save(place / "bundle"))
    settings = replace(SETTINGS, real=str(write_folder(place / "videos")))
    return lambda future: Known(bundle, settings, future)


def test_the_truth_is_as_near_and_moves_as_much_as_can_be(study_of):
    section = video_continuation(study_of(truth), lambda share: None)
    assert figure(section, "PSNR over the first second: continued") > 90
    assert figure(section, "SSIM over all frames: continued") == pytest.approx(1)
    assert figure(section, "motion: continued over true") == pytest.approx(1)
    assert {curve.plot.split()[0] for curve in section.curves} == {"PSNR", "SSIM", "Motion"}
    assert len(section.curves[0].x) == 32 and section.curves[0].x[-1] == pytest.approx(32 / 12)


def test_a_frozen_continuation_is_the_last_frame_repeated_and_does_not_move(study_of):
    section = video_continuation(study_of(still), lambda share: None)
    repeated = figure(section, "PSNR over all frames: last frame repeated")
    assert figure(section, "PSNR over all frames: continued") == pytest.approx(repeated)
    assert figure(section, "PSNR over the first second: continued above") == pytest.approx(0, abs=1e-4)
    assert figure(section, "motion: continued over true") < 0.1
    assert figure(section, "steps from frame to frame in which nothing moves") == 100


def test_a_wild_continuation_moves_too_much_and_is_far_from_the_truth(study_of):
    section = video_continuation(study_of(wild), lambda share: None)
    assert figure(section, "motion: continued over true") > 1.3
    assert figure(section, "PSNR over all frames: continued") < 30


def test_what_costs_nothing_does_not_depend_on_the_generator(study_of):
    first, second = (video_continuation(study_of(future), lambda share: None) for future in (truth, wild))
    for name in ("last frame repeated", "reconstructed", "mean colour"):
        assert figure(first, f"PSNR over all frames: {name}") == figure(second, f"PSNR over all frames: {name}")


def test_clips_show_the_truth_the_reconstruction_and_the_continuation(study_of):
    section = video_continuation(study_of(truth), lambda share: None)
    assert section.samples[0].frames.shape == (49, 18, 3 * 24 + 2 * 2, 3)
    assert {sample.note.split(":")[0] for sample in section.samples} == {"worst"}
