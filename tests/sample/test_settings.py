"""Settings as keywords, as a dict and as `SamplingParams`: the same tokens, and one of them at a time."""

import json

import pytest
import tiny_bundle
import torch

from framecast.sample import ByRow, SamplingParams, load_bundle
from framecast.sample.settings import as_params

PROMPT = "a red circle moves right"


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0.5, "top_k": 9, "top_p": 0.8, "guidance_scale": 3.0, "decoding": "frame"},
        {"negative_prompt": "a ring falls"},
        {"decoding": ByRow()},
        {"block_length": 3},
        {},
    ],
)
def test_every_form_gives_the_same_tokens(values):
    generator = tiny_bundle.generator()
    named = {"decoding" if name == "block_length" else name: value for name, value in values.items()}
    params = SamplingParams(**named)
    expected = generator.generate(PROMPT, 9, 1, params).tokens
    for clip in (generator.generate(PROMPT, 9, 1, values), generator.generate(PROMPT, 9, seed=1, **values)):
        assert torch.equal(clip.tokens, expected)
    for stream in (generator.stream(PROMPT, 1, values), generator.stream(PROMPT, 1, **values)):
        assert stream.params == params


def test_a_stream_s_settings_can_be_set_by_a_dict():
    stream = tiny_bundle.generator().stream(PROMPT)
    stream.params = {"temperature": 0.5}
    assert stream.params == SamplingParams(temperature=0.5)


@pytest.mark.parametrize(
    ("params", "settings", "message"),
    [
        (
            SamplingParams(),
            {"temperature": 0.5},
            r"got params and temperature; wanted one of them, .* `dataclasses\.replace\(params",
        ),
        ({"top_k": 5}, {"top_p": 0.5, "top_k": 3}, "got params and top_p, top_k; wanted one of them"),
        (None, {"temprature": 0.5}, "got a setting 'temprature'; wanted one of temperature, top_k.*; did you mean temperature"),
        ({"scale": 3}, {}, "got a setting 'scale'; wanted one of temperature"),
        ({3: 3}, {}, "got a setting '3'"),
        (None, {"first_frame": 0}, "did you mean first_frames"),
        (None, {"decoding": "row", "block_length": 3}, "got decoding and block_length; wanted one of them"),
        (0.5, {}, r"got params 0\.5; wanted `SamplingParams`, or a dict"),
        ("hot", {}, "got params 'hot'; wanted"),
        (None, {"temperature": "hot"}, "got temperature 'hot'; wanted a number from 0 to 10"),
    ],
)
def test_what_are_no_settings_is_refused(params, settings, message):
    with pytest.raises(ValueError, match=message):
        as_params(params, settings)
    for begin in (tiny_bundle.generator().generate, tiny_bundle.generator().stream):
        with pytest.raises(ValueError, match=message):
            begin(PROMPT, params=params, **settings)


def test_what_a_call_leaves_out_is_as_the_bundle_recommends(tmp_path):
    own = {"temperature": 0.5, "guidance_scale": 1.0}
    folder = tiny_bundle.save(tmp_path / "own", params=own)
    assert json.loads((folder / "config.json").read_bytes())["sampling"] == own
    bundle = load_bundle(folder)
    generator = bundle.generator()
    assert bundle.params == generator.params == SamplingParams(**own) and not generator.stream(PROMPT).guided
    assert generator.stream(PROMPT, top_k=3).params == SamplingParams(**own, top_k=3)
    assert generator.stream(PROMPT, params={"temperature": 0.9}).params == SamplingParams(guidance_scale=1.0)
    assert generator.stream(PROMPT, params=SamplingParams()).params == SamplingParams()
    assert torch.equal(generator.generate(PROMPT, 9, 1).tokens, tiny_bundle.generator().generate(PROMPT, 9, 1, own).tokens)
    stream = generator.stream(PROMPT)
    stream.params = {"top_k": 9}
    assert stream.params == SamplingParams(**own, top_k=9)
    assert generator.to("bfloat16").params == generator.params


def test_a_bundle_without_recommendations_says_nothing_of_them(tmp_path):
    folder = tiny_bundle.save(tmp_path / "plain", params=SamplingParams())
    assert "sampling" not in json.loads((folder / "config.json").read_bytes())
    assert load_bundle(folder).params == SamplingParams()
