"""What a trained model shows: without captions, too, and with some."""

from dataclasses import replace

import pytest
import tiny_bundle
import torch

from framecast.data import CaptionedClip
from framecast.data.clips import Caption
from framecast.sample.prompts import NO_CAPTION
from framecast.train.own import showing
from framecast.train.own.showing import GIVEN, continuation, params_of, prompts_of, write_samples


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


def test_samples_are_made_once_for_the_same_model_and_videos(plan, monkeypatch, capsys):
    monkeypatch.setattr(showing, "_held_out", lambda _: [clip_saying("a ring falls")])
    monkeypatch.setattr(showing, "_LONG", 5)
    generator = tiny_bundle.generator()
    sheet = write_samples(plan, generator)
    before = {path.name: path.stat().st_mtime_ns for path in sheet.parent.iterdir()}
    assert {"continuations.png", "continuation_1.mp4", "prompt_1.mp4"} <= set(before)
    titled = replace(plan, settings=replace(plan.settings, title="Another"))
    assert write_samples(titled, generator) == sheet and "samples: made already." in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in sheet.parent.iterdir()} == before
    (sheet.parent / "prompt_1.mp4").unlink()
    write_samples(plan, generator)
    assert (sheet.parent / "prompt_1.mp4").is_file() and "made already" not in capsys.readouterr().out
    other = replace(plan, settings=replace(plan.settings, seed=1))
    assert showing._key(other, generator) != showing._key(plan, generator)
