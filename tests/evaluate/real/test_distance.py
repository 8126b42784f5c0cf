"""True futures are near, frozen and wild ones far, and the figures say so."""

from dataclasses import replace

import pytest
import tiny_bundle
from real_videos import CAPTIONS, SETTINGS, Known, still, truth, wild, write_folder
from studies import figure

from framecast.evaluate.real.distance import video_distance
from framecast.sample import load_bundle


@pytest.fixture(scope="module")
def study_of(tmp_path_factory):
    place = tmp_path_factory.mktemp("distance")
    bundle = load_bundle(tiny_bundle.save(place / "bundle"))
    videos = write_folder(place / "videos", captions=3 * CAPTIONS)
    return lambda future, clips=12: Known(bundle, replace(SETTINGS, clips=clips, real=str(videos)), future)


def test_the_truth_is_as_near_as_can_be_and_what_stands_still_is_far(study_of):
    good, bad, mad = (video_distance(study_of(future), lambda share: None) for future in (truth, still, wild))
    name = "MMD from true video: continued"
    assert figure(good, name) == pytest.approx(0, abs=1e-6)
    assert figure(bad, name) > 0.01 and figure(mad, name) > 0.01
    assert figure(bad, name) == pytest.approx(figure(bad, "MMD from true video: last frame repeated"), rel=1e-4)
    gain = "MMD from true video: last frame repeated less continued"
    assert figure(good, gain) > 0.01 and figure(bad, gain) == pytest.approx(0, abs=1e-3)


def test_two_clips_are_too_few(study_of):
    section = video_distance(study_of(truth, 2), lambda share: None)
    assert not section.figures and "There are 2 clips, and it takes 3." in section.about
