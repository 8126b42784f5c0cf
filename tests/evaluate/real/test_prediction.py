"""How well real clips are predicted, and what their captions are worth."""

from dataclasses import replace
from math import log

import pytest
import tiny_bundle
from real_videos import SETTINGS, write_folder
from studies import figure

from framecast.evaluate.real.prediction import another, told_of, video_prediction
from framecast.evaluate.study import Study
from framecast.sample import load_bundle


@pytest.fixture
def study(tmp_path):
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    return Study(bundle, replace(SETTINGS, real=str(write_folder(tmp_path / "videos"))))


def test_nats_and_bits_are_given_for_each_way_and_each_caption(study):
    section = video_prediction(study, lambda share: None)
    tokens = study.bundle.tokenizer.num_latent_frames(9 + 4 * 1)  # the longest that this LM sees at once
    nats, bits = figure(section, "nats per token, by rows"), figure(section, "bits per pixel, by rows")
    assert bits == pytest.approx(nats / log(2) * tokens * 6 / (13 * 16 * 24))
    assert figure(section, "nats of guessing evenly") == pytest.approx(log(60))
    assert {curve.name for curve in section.curves} >= {"by tokens", "with its own caption", "with no caption"}
    gain = figure(section, "nats per token that its own caption saves against no caption")
    with_own, without = (
        next(c for c in section.curves if c.name == f"with {name}") for name in ("its own caption", "no caption")
    )
    assert gain == pytest.approx(sum(without.y) / len(without.y) - sum(with_own.y) / len(with_own.y), abs=1e-5)


def test_without_captions_only_no_caption_is_measured(study, tmp_path):
    study.settings = replace(study.settings, real=str(write_folder(tmp_path / "same", captions=2 * ("a ring falls",))))
    section = video_prediction(study, lambda share: None)
    assert list(told_of(study)) == ["none"] and "nothing can be said of prompts" in section.about
    assert not any("caption saves" in figure.name for figure in section.figures)


@pytest.mark.parametrize("captions", [("a ring falls", "", ""), ("a ring falls", "falls" * 200, "")])
def test_one_caption_is_not_two(study, tmp_path, captions):
    study.settings = replace(study.settings, real=str(write_folder(tmp_path / "few", captions=captions)))
    assert list(told_of(study)) == ["none"]


def test_what_captions_save_is_of_the_clips_that_have_one(study, tmp_path):
    study.settings = replace(
        study.settings, real=str(write_folder(tmp_path / "some", captions=("a ring falls", "", "a red ring")))
    )
    assert told_of(study)["other"][0] == told_of(study)["true"][2]
    gain = next(f for f in video_prediction(study, lambda share: None).figures if "saves against no caption" in f.name)
    assert gain.count == 2


def test_another_prompt_is_the_next_one_that_differs():
    a, b = [(0.0, "a")], [(0.0, "b")]
    assert another([a, a, [], b], 0) == b and another([a, a, [], b], 3) == a
