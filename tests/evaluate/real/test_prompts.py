"""Whether a prompt does anything."""

from dataclasses import replace

import pytest
import tiny_bundle
from real_videos import SETTINGS, Known, deaf, obedient, write_folder
from studies import figure

from framecast.evaluate.real.prompts import video_prompts
from framecast.sample import load_bundle


@pytest.fixture(scope="module")
def study_of(tmp_path_factory):
    place = tmp_path_factory.mktemp("prompts")
    bundle = load_bundle(tiny_bundle.save(place / "bundle"))
    folder = write_folder(place / "videos")
    return lambda future: Known(bundle, replace(SETTINGS, real=str(folder)), future)


def test_a_generator_that_does_not_listen_has_an_effect_of_nothing(study_of):
    section = video_prompts(study_of(deaf), lambda share: None)
    assert figure(section, "distance: two prompts, one seed") == 0
    assert figure(section, "distance: two seeds, one prompt") > 1
    assert figure(section, "effect of the prompt over that of the seed") == 0


def test_a_generator_that_listens_has_an_effect(study_of):
    section = video_prompts(study_of(obedient), lambda share: None)
    assert figure(section, "distance: two prompts, one seed") > 1
    assert section.samples[0].frames.shape[2] == 4 * 24 + 3 * 2


def test_without_captions_that_is_said(study_of, tmp_path):
    study = study_of(deaf)
    folder = write_folder(tmp_path / "videos")
    (folder / "captions.jsonl").unlink()
    study.settings = replace(study.settings, real=str(folder))
    section = video_prompts(study, lambda share: None)
    assert not section.figures and "nothing can be said of prompts" in section.about
