"""What a trained model shows: without captions, too, and with some."""

from dataclasses import replace

import pytest
import tiny_bundle
import torch

from framecast.data import CaptionedClip
from framecast.data.clips import Caption
from framecast.sample.prompts import NO_CAPTION
from framecast.train.own.showing import GIVEN, continuation, params_of, prompts_of


@pytest.fixture
def silent(plan, monkeypatch):
    """A plan for the same videos without captions."""
    monkeypatch.setattr("framecast.train.own.showing.held_out_captions", lambda *_: [])
    return replace(plan, found=replace(plan.found, captioned=0))


def clip_saying(text: str) -> CaptionedClip:
    return CaptionedClip(tiny_bundle.frames(17), (Caption(0, text),), 12.0, "a.mp4@0.00s")


def test_prompts_are_the_captions_of_what_was_held_out(plan):
    assert prompts_of(plan) and all(prompt.startswith("noise ") for prompt in prompts_of(plan))


def test_without_captions_the_null_prompt_is_shown(silent):
    assert prompts_of(silent) == [NO_CAPTION] and params_of(silent).guidance_scale == 0


@pytest.mark.parametrize("text", ["", "a red circle moves right"])
def test_a_clip_is_continued_whether_or_not_something_is_said_of_it(plan, text):
    shown = continuation(clip_saying(text), tiny_bundle.generator(), plan)
    assert shown.prompt == text and shown.made.shape == shown.true.shape


def test_a_clip_of_which_nothing_is_said_follows_the_null_prompt(plan, silent):
    generator, clip = tiny_bundle.generator(), clip_saying("")
    made = [continuation(clip, generator, one).made for one in (plan, silent)]
    other = generator.generate("a ring falls", 17, plan.settings.seed, params_of(silent), clip.frames[:GIVEN]).frames
    assert torch.equal(made[0], made[1]) and torch.equal(made[0], other)
