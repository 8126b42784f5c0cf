"""A folder of videos with actions: what is found, what is chosen otherwise, and what is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
import tiny_world
import torch
import yaml

import framecast.train
from framecast.data import Caption, CaptionedClip, SpriteWorld
from framecast.data.worlds.recording import RecordingWriter
from framecast.train.own import plan as plans
from framecast.train.own import showing, words
from framecast.train.own.asked import digest_of
from framecast.train.own.configs import lm_config, write_configs
from framecast.train.own.judging import seconds_of_report, settings_of
from framecast.train.own.plan import Plan, kept_plan, make_plan
from framecast.train.own.recipes import recipe_for
from framecast.train.own.settings import OwnSettings, usual_rate
from framecast.train.own.showing import _write_held, continuation
from framecast.train.own.sizes import TOKENIZERS
from framecast.train.own.speed import Speed
from framecast.train.own.videos import Found, held_out_clips, look, training_clips
from framecast.train.own.words import say_done, say_found, say_plan
from framecast.train.own.worlds import Played


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    """Four episodes of 60 frames at 12.5 frames/s, with rewards."""
    folder = tmp_path_factory.mktemp("worlds") / "recording"
    with RecordingWriter(folder, tiny_world.SPACE, 12.5) as writer:
        for number in range(4):
            frames, actions = SpriteWorld(num_frames=60, size=32)[number].frames.numpy(), tiny_world.actions(60, number).numpy()
            writer.add(frames, actions, np.ones(60))
    return folder


@pytest.fixture(scope="module")
def settings(recording) -> OwnSettings:
    return OwnSettings(str(recording), size=32, fps=usual_rate(str(recording)), minutes=1)


@pytest.fixture(scope="module")
def found(settings) -> Found:
    return look(settings)


@pytest.fixture
def plan(settings, found, tmp_path, monkeypatch) -> Plan:
    monkeypatch.setattr(plans, "tokenizer_speed", lambda *_: Speed(0.001, 0.0001, 10))
    monkeypatch.setattr(plans, "lm_speed", lambda *_: Speed(0.001, 0.0001, 10))
    monkeypatch.setattr(plans, "making_speed", lambda *_, **__: 0.01)
    return make_plan(replace(settings, out=str(tmp_path / "mine")), found)


def test_a_recording_is_found_with_its_rate_and_its_actions(settings, found, tmp_path):
    assert settings.fps == 12.5 and usual_rate(str(tmp_path)) == 12.0
    played = found.played
    assert played.action_space == tiny_world.SPACE
    assert (played.files, played.rewards, played.ends, played.drawn) == (4, True, False, False)
    assert found.cut.copies == 1 and found.cut.step < 17  # windows overlap, and no crop shows another view than play does
    for clips in (training_clips(settings, found), held_out_clips(settings, found)):
        assert clips.action_space == tiny_world.SPACE and clips[0].actions.shape == (17, 3)


@pytest.mark.parametrize("about", ["", "[]", "{", '{"fps": "fast"}', '{"fps": true}', '{"fps": 1e9}'])
def test_a_recording_that_says_no_rate_has_the_usual_one(tmp_path, about):
    (tmp_path / "recording.json").write_text(about)
    assert usual_rate(str(tmp_path)) == 12.0


def test_a_world_has_a_frame_a_latent_frame_and_learns_rewards(plan, recording):
    plan.save()
    write_configs(plan)
    tokenizer, lm = (yaml.safe_load((plan.out / f"{part}.yaml").read_text()) for part in ("tokenizer", "lm"))
    network = tokenizer["model"]["init_args"]
    assert (network["tokenizer"]["time_strides"], network["tokenizer"]["channels"]) == ([1], [48, 96])
    assert network["loss"] == {"l1": 0.5, "l2": 4.0, "structure": 0.25}
    assert plan.levels == (8, 5, 5, 5)  # a camera's pictures, as nothing says that an environment drew them
    shape, source = lm["model"]["init_args"], lm["data"]["init_args"]["source"]["init_args"]
    assert shape["lm"]["rewards"] and not shape["lm"]["ends"] and shape["blocks"] == {"token": 0.0, "row": 1.0, "frame": 0.0}
    assert (shape["corruption"], shape["action_dropout"], shape["optimizer"]["learning_rate"]) == (0.05, 0.1, 0.003)
    assert lm["data"]["init_args"]["batch_size"] == 16 and source["action_space"] == tiny_world.SPACE.to_json()
    assert source["fps"] == 12.5 and "with actions" in lm["export"]["card"]
    drawn = replace(plan.found, played=replace(plan.found.played, drawn=True))
    assert make_plan(plan.settings, drawn).codes == 1000


def test_the_base_of_a_world_is_that_of_the_shipped_recipe():
    played = Played(tiny_world.SPACE.to_json(), 4, True, True, True)
    recipe, configs = recipe_for(played), Path(framecast.train.__file__).parent / "configs"
    for name, key, shape in (
        ("world_tokenizer", "tokenizer", recipe.tokenizer_shape("base", 64)),
        ("world_lm", "lm", recipe.lm_shape("base", 30)),
    ):
        wanted = yaml.safe_load((configs / f"{name}.yaml").read_text())["model"]["init_args"][key]
        wanted.pop("context_frames", None)  # the clips of `framecast train` are shorter
        assert {field: getattr(shape, field) for field in wanted} == {
            field: tuple(value) if isinstance(value, list) else value for field, value in wanted.items()
        }
    assert recipe.side(64) == recipe.side(32) == 4 and recipe.side(72) == 9 and recipe.latent_frames == 17
    assert recipe.levels(9e9) == (8, 5, 5, 5) != recipe_for(replace(played, drawn=False)).levels(9e9)
    assert recipe.lms(9e9, on_gpu=False)[0].name == "base" and recipe.lms(9e9, on_gpu=True)[0].name == "huge"
    for size in (16, 32, 64, 72, 128, 512):
        for rung in TOKENIZERS:
            made = recipe.tokenizer_shape(rung.name, size)
            assert made.temporal_stride == 1 and made.spatial_stride * recipe.side(size) == size


def test_a_delay_reaches_training_and_report(settings, found, plan, recording, capsys):
    late = replace(settings, action_delay=3)
    clips, undelayed = training_clips(late, look(late)), training_clips(settings, found)
    assert torch.equal(clips[1].actions[4:], undelayed[1].actions[1:-3])
    own = replace(plan, settings=replace(plan.settings, action_delay=3))
    assert lm_config(own)["data"]["init_args"]["source"]["init_args"]["action_delay"] == 3
    assert settings_of(own).action_delay == 3
    say_found(own.settings, own.found)
    assert "The picture answers 3 stored frames after an action, as --action_delay says." in capsys.readouterr().out
    say_done(own, "a video", has_report=True)
    assert f"--world {recording} --action_delay 3 --include" in capsys.readouterr().out


def test_only_files_that_are_included_are_named_for_the_report(plan, capsys):
    own = replace(plan, settings=replace(plan.settings, hold_out="*3.mp4"))
    for excluded, named in ((0, "'*3.mp4'"), (2, plan.found.held_out[0])):
        say_done(replace(own, found=replace(own.found, excluded=excluded)), "a video", has_report=True)
        assert f"--include {named} --out" in capsys.readouterr().out


def test_the_plan_says_how_long_a_report_takes(plan, monkeypatch, capsys):
    plan = replace(plan, settings=replace(plan.settings, minutes=60), seconds_per_frame=0.1)
    say_plan(plan)
    said = capsys.readouterr().out
    assert "  report          15 clips, 1,920 frames of play " in said and 300 < seconds_of_report(plan) < 1200
    monkeypatch.setattr(words, "can_report", lambda: False)
    say_plan(plan)
    assert "  report " not in capsys.readouterr().out


def test_the_plan_of_a_world_is_kept_until_its_actions_change(plan, recording):
    plan.save()
    assert kept_plan(plan.settings) == plan
    lines = (recording / "actions.jsonl").read_bytes()
    try:
        (recording / "actions.jsonl").write_bytes(lines + b"\n")
        assert digest_of(plan.settings) != plan.found.digest
        with pytest.raises(ValueError, match="got other videos or captions"):
            kept_plan(plan.settings)
    finally:
        (recording / "actions.jsonl").write_bytes(lines)


def test_what_becomes_of_a_world_is_said(plan, recording, capsys):
    say_found(plan.settings, plan.found)
    said = " ".join(capsys.readouterr().out.split())
    assert "With actions, so it becomes a world to play in: left, right, gas. An action counts from the next latent" in said
    assert "which is 1 frame: 80 ms. It also learns rewards." in said
    say_done(plan, "a video", has_report=True)
    said = capsys.readouterr().out
    assert f"framecast play {plan.out / 'bundle'}" in said and f"--world {recording} --include" in said
    partly = replace(plan.found, played=replace(plan.found.played, files=3, rewards=False))
    say_found(plan.settings, partly)
    said = " ".join(capsys.readouterr().out.split())
    assert "left, right, gas in 3 files; those of the others are unknown. An" in said and "also learns" not in said


def test_a_world_is_judged_as_one_unless_two_lists_of_actions_contradict(plan, recording, tmp_path):
    judged = settings_of(plan)
    assert (judged.world, judged.real, judged.play_frames) == (str(recording), None, 64)
    other = replace(plan, settings=replace(plan.settings, actions="actions.jsonl"))
    assert (settings_of(other).world, settings_of(other).real) == (None, str(recording))
    elsewhere = replace(plan, settings=replace(plan.settings, videos=str(tmp_path), actions="other.jsonl"))
    assert (settings_of(elsewhere).world, settings_of(elsewhere).actions) == (str(tmp_path), "other.jsonl")


def test_held_out_clips_are_continued_with_what_was_done(plan, tmp_path, monkeypatch):
    actions = tiny_world.actions(17)
    clip = CaptionedClip(tiny_bundle.frames(17), (Caption(0, ""),), 12.0, "a.mp4@0.00s", actions=actions)
    generator = tiny_world.generator()
    made = continuation(clip, generator, plan).made
    assert made.shape == (17, 16, 24, 3)
    other = replace(clip, actions=tiny_world.actions(17, seed=5))
    assert not (continuation(other, generator, plan).made == made).all()
    monkeypatch.setattr(showing, "_MOST_HELD", 2)
    _write_held(plan, generator, clip, tmp_path)
    assert {path.name for path in tmp_path.glob("*.mp4")} == {"held_nothing.mp4", "held_left.mp4"}
