"""Starts: first frames that a bundle keeps, and worlds that begin from them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_bundle
import tiny_world
import torch
from damaged_bundles import assert_refused, change_config
from tiny_world import PROMPT

from framecast.data import write_video
from framecast.descriptions import describe
from framecast.sample import BundleError, Start, add_starts, load_bundle, load_generator, start_of_video

TOKENS = torch.arange(12).reshape(2, 2, 3)
STARTS = (Start("road", TOKENS, "a ring falls"), Start("house", TOKENS + 20))


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    return tiny_world.save(tmp_path_factory.mktemp("bundles") / "world", starts=STARTS)


def values(starts) -> list[tuple]:
    return [(start.name, start.prompt, start.tokens.tolist()) for start in starts]


def test_a_bundle_keeps_its_starts(saved):
    bundle = load_bundle(saved)
    assert values(bundle.starts) == values(STARTS) == values(bundle.generator().starts)
    assert dict(describe(str(saved)))["starts"] == "road, house"
    assert repr(bundle.starts[0]) == "Start('road', 2 latent frames, 'a ring falls')"


def test_a_stream_begins_from_a_start(saved):
    generator = load_generator(saved)
    by_name, by_number = generator.stream(start="road", seed=1), generator.stream("a ring falls", seed=1, start=0)
    expected = generator.stream("a ring falls", seed=1, first_tokens=TOKENS)
    for running in (by_name, by_number, expected):
        running.step("left")
    assert torch.equal(by_name.tokens, expected.tokens) and torch.equal(by_number.tokens, expected.tokens)
    assert by_name.prompt == "a ring falls" and by_name.next_index == 5
    clip = generator.generate(start="road", num_frames=5, seed=1, actions="left")
    assert torch.equal(clip.tokens, by_name.tokens)


def test_starts_are_added_to_a_bundle_and_taken_away(tmp_path):
    folder = tiny_world.save(tmp_path / "world")
    assert load_bundle(folder).starts == () and "starts" not in json.loads((folder / "config.json").read_bytes())
    before = {name: (folder / name).read_bytes() for name in ("lm.safetensors", "tokenizer.safetensors", "text.model")}
    add_starts(folder, STARTS)
    assert values(load_bundle(folder).starts) == values(STARTS)
    add_starts(folder, ())
    assert load_bundle(folder).starts == () and {name: (folder / name).read_bytes() for name in before} == before


def test_the_first_frames_of_a_video_are_a_start(tmp_path):
    frames = tiny_bundle.frames(9)
    write_video(tmp_path / "left turn.mkv", frames, 12.0)
    codec = tiny_world.generator().codec
    start = start_of_video(codec, tmp_path / "left turn.mkv", 3)
    assert (start.name, start.prompt) == ("left turn", None) and torch.equal(start.tokens, codec.encode(frames[:5]))
    (tmp_path / "captions.jsonl").write_text(json.dumps({"file": "left turn.mkv", "caption": "a road"}))
    assert start_of_video(codec, tmp_path / "left turn.mkv").prompt == "a road"
    with pytest.raises(ValueError, match=r"left turn.mkv with 9 frames at 12 frames/s; wanted at least 11 for a start"):
        start_of_video(codec, tmp_path / "left turn.mkv", 6)
    later = start_of_video(codec, tmp_path / "left turn.mkv", 3, seconds=0.25, name="bend")
    assert later.name == "bend" and torch.equal(later.tokens, codec.encode(frames[3:8]))
    with pytest.raises(ValueError, match=r"left turn\.mkv with 4 frames at 12 frames/s from 0\.42 s on; wanted at least 5"):
        start_of_video(codec, tmp_path / "left turn.mkv", 3, seconds=0.42)


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ([STARTS[0], STARTS[0]], "got 2 starts of 2 latent frames; wanted at most 256, each with a name of its own"),
        ([STARTS[0], replace(STARTS[1], tokens=TOKENS[:1])], r"got 2 starts of 1, 2 latent frames; wanted .* all of one length"),
        ([replace(STARTS[0], tokens=TOKENS + 60)], "got first tokens from 60 to 71; wanted 0 to 59"),
    ],
)
def test_starts_that_do_not_fit_are_refused(tmp_path, saved, starts, message):
    with pytest.raises(ValueError, match=message):
        tiny_world.save(tmp_path / "world", starts=starts)
    with pytest.raises(ValueError, match=message):
        add_starts(saved, starts)
    assert values(load_bundle(saved).starts) == values(STARTS)


def test_what_is_no_start_is_named(saved):
    generator = load_generator(saved)
    with pytest.raises(ValueError, match=r"got the start 'river'; wanted one of its 2, \"road\", \"house\", or a number from 0"):
        generator.stream(PROMPT, start="river")
    with pytest.raises(ValueError, match=r"got start 2; wanted one of its 2, \"road\", \"house\""):
        generator.stream(PROMPT, start=2)
    with pytest.raises(ValueError, match="got a start and first frames; wanted one of them"):
        generator.stream(PROMPT, start=0, first_tokens=TOKENS)
    with pytest.raises(ValueError, match="got no prompt; wanted a prompt, pairs of seconds and text, or a `start` that says"):
        generator.stream(start="house")
    with pytest.raises(ValueError, match="got the start 'road'; wanted none: this bundle keeps no starts"):
        tiny_bundle.generator().stream(PROMPT, start="road")


def test_a_bundle_that_lies_about_its_starts_is_refused(tmp_path):
    folder = tiny_world.save(tmp_path / "world", starts=STARTS)
    change_config(folder, lambda config: config["starts"].pop())
    assert_refused(folder, "1 starts and tokens of shape [2, 2, 2, 3]")
    tokenizer = tiny_bundle.save(tmp_path / "tokenizer", lm=None, text_tokenizer=None)
    with pytest.raises(BundleError, match="holds a tokenizer and no video LM; wanted both"):
        add_starts(tokenizer, STARTS)
