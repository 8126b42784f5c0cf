"""Long streams that stay as they began, fade or freeze."""

from dataclasses import replace

import pytest
import tiny_bundle
from real_videos import SETTINGS, Known, fading, still, truth, write_folder
from studies import figure

from framecast.evaluate.real.drift import looks, video_drift
from framecast.sample import load_bundle


@pytest.fixture(scope="module")
def drift_of(tmp_path_factory):
    place = tmp_path_factory.mktemp("drift")
    bundle = load_bundle(tiny_bundle.save(place / "bundle"))
    settings = replace(SETTINGS, real=str(write_folder(place / "videos")))
    return lambda future: video_drift(Known(bundle, settings, future), lambda share: None)


def test_a_stream_that_stays_as_it_began_is_steady(drift_of):
    section = drift_of(truth)
    assert figure(section, "streams that stay steady") == 100
    assert figure(section, "change of brightness in a stream") < 5
    assert figure(section, "steps of the last two windows") == 0
    assert {curve.name for curve in section.curves} == {"sharpness", "brightness", "contrast", "colour", "motion"}
    assert all(curve.y[0] == 1 for curve in section.curves)


def test_a_stream_that_fades_is_not_steady(drift_of):
    section = drift_of(fading)
    assert figure(section, "streams that stay steady") == 0
    assert figure(section, "change of brightness, all") < -40
    assert figure(section, "change of sharpness in a stream") > 40


def test_a_frozen_stream_does_not_drift_and_is_seen_not_to_move(drift_of):
    section = drift_of(still)
    assert figure(section, "streams that stay steady") == 100
    assert figure(section, "steps of the last two windows") == 100


def test_a_look_is_measured_in_whole_windows():
    assert len(looks(tiny_bundle.frames(40))) == 2
