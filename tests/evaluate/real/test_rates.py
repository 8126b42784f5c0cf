"""Codecs and a tokenizer at equal bits: who is above whom is read off right."""

import re
from dataclasses import replace

import numpy as np
import pytest
import tiny_bundle
import torch
from real_videos import SETTINGS, write_folder
from studies import figure

from framecast.evaluate.real import rates
from framecast.evaluate.real.rates import Points, video_rates
from framecast.evaluate.study import Study
from framecast.sample import load_bundle

TWO_CLIPS = Points(np.array([[0.4, 0.1], [0.4, 0.1]]), np.array([[30.0, 20.0], [34.0, 22.0]]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("rates")
    write_folder(place / "videos")
    return place


def study(folder, **parts) -> Study:
    bundle = load_bundle(tiny_bundle.save(folder / "bundle"))
    return Study(replace(bundle, **parts), replace(SETTINGS, real=str(folder / "videos")))


def test_points_between_two_settings_lie_on_the_line_over_the_logarithm_of_bits():
    assert TWO_CLIPS.at(0.4) == 32 and TWO_CLIPS.at(0.1) == 21
    assert TWO_CLIPS.at(0.2) == pytest.approx(26.5)  # half way between the logarithms
    assert TWO_CLIPS.at(0.01) == 21, "the smallest file stands for fewer bits"
    assert TWO_CLIPS.at(0.4, np.array([0, 0])) == 30
    assert TWO_CLIPS.curve("x").x == (0.1, 0.4)


def test_what_is_above_the_best_codec_at_its_bits_has_that_gain(folder, monkeypatch):
    def codec(codec, clips, fps):
        bits = np.tile([0.005, 0.5], (len(clips), 1))
        return Points(bits, np.tile([0.0, 60.0] if codec.name == "x264" else [0.0, 40.0], (len(clips), 1)))

    monkeypatch.setattr(rates, "_of_codec", codec)
    section = video_rates(study(folder), lambda share: None)
    bits = figure(section, "bits per pixel, each token at its full bits")
    best = 60 * np.log(bits / 0.005) / np.log(100)
    assert figure(section, "PSNR of x264 at these bits, each token") == pytest.approx(best)
    own = next(curve for curve in section.curves if curve.name == "Framecast, each token at its full bits")
    gain = figure(section, "PSNR of the tokenizer above the best codec at these bits, each token")
    assert gain == pytest.approx(own.y[0] - best)


def test_tokens_cost_their_full_bits_or_what_the_video_lm_says(folder):
    section = video_rates(study(folder), lambda share: None)
    tokenizer = study(folder).bundle.tokenizer
    frames = int(re.search(r"The first (\d+) frames", section.about)[1])
    tokens = tokenizer.encode(torch.zeros(1, 3, frames, 16, 24))
    expected = np.log2(tokenizer.codebook_size) * tokens.numel() / (frames * 16 * 24)
    assert figure(section, "bits per pixel, each token at its full bits") == pytest.approx(expected)
    untrained = figure(section, "bits per pixel, coded by its video LM")
    assert 0.8 * expected < untrained < 2 * expected  # it knows nothing yet
    assert {curve.name for curve in section.curves} >= {"x264", "x265"}


def test_a_tokenizer_alone_has_no_rate_of_a_video_lm(folder):
    section = video_rates(study(folder, lm=None), lambda share: None)
    assert not [each.name for each in section.figures if "LM" in each.name]
    assert figure(section, "bits per pixel, each token at its full bits") > 0


def test_a_codec_that_is_missing_is_named_and_left_out(folder, monkeypatch):
    gone = replace(rates.CODECS[0], name="none", encoder="libnone")
    monkeypatch.setattr(rates, "CODECS", (gone,))
    section = video_rates(study(folder), lambda share: None)
    assert "none is left out" in section.about and not [f for f in section.figures if "above" in f.name]
