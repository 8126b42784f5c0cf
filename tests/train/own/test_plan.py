"""Sizes and steps that fit into the time; a plan that is kept."""

import json
from dataclasses import asdict, replace

import pytest

from framecast.train.own import plan as plans
from framecast.train.own.plan import Plan, check_out, climb, kept_plan, make_plan, validations_of
from framecast.train.own.sizes import LMS, TOKENIZERS, Rung
from framecast.train.own.speed import Speed

LADDER = (Rung("large", 4.0), Rung("base", 2.0), Rung("small", 1.0))


def climbed(seconds: float, budget: float) -> tuple[str, int, list[str]]:
    """What is chosen if a step of the smallest network takes so long, its steps, and what was measured."""
    measured = []

    def measure(rung: Rung) -> Speed:
        measured.append(rung.name)
        return Speed(seconds * rung.cost, 0.0, 1)

    part, _ = climb(LADDER, measure, budget, 8)
    return part.size, part.steps, measured


def test_the_largest_network_that_makes_enough_steps_is_taken():
    assert climbed(0.1, 600) == ("large", 1500, ["large"])
    assert climbed(0.5, 600) == ("small", 1200, ["large", "small"])  # that of base is plain from large
    assert climbed(10.0, 600) == ("small", 60, ["large", "small"])
    assert climbed(100.0, 600)[1] == 20  # never none


def test_validations_cost_steps():
    part, _ = climb(LADDER[-1:], lambda rung: Speed(1.0, 0.1, 1), 1000, 8, looks=3)
    assert part.steps == 904 and part.seconds == pytest.approx(1000)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(plans, "tokenizer_speed", lambda *_: Speed(0.001, 0.0001, 10))
    monkeypatch.setattr(plans, "lm_speed", lambda *_: Speed(0.001, 0.0001, 10))
    monkeypatch.setattr(plans, "making_speed", lambda *_, **__: 0.01)


def test_little_video_gets_a_small_lm_that_stops_early(settings, found, fast):
    plan = make_plan(settings, found)
    assert (plan.tokenizer.size, plan.lm.size) == (TOKENIZERS[1].name, "small") and plan.codes == 1000
    assert plan.is_capped and plan.lm.steps == 200 < plan.tokenizer.steps
    assert plan.token_clips == min(found.num_train_clips, 200 * plan.lm.batch_size)
    assert {rung.name for rung in LMS if rung.least_video == 0} == {"small", "tiny"}


def test_fewer_clips_than_a_step_takes_are_refused_before_anything_long(settings, found):
    few = replace(found, files={"a.mp4": 1, "b.mp4": 1}, held_out=("a.mp4",), cut=replace(found.cut, copies=1))
    with pytest.raises(ValueError, match=r"got 1 clip of 17 frames to train on, from b.mp4 in .*; wanted at least 16, .*23 sec"):
        make_plan(settings, few)


def test_a_plan_is_kept_and_found_again(plan):
    assert kept_plan(plan.settings) is None
    plan.save()
    assert kept_plan(plan.settings) == plan


def test_a_changed_setting_is_refused_with_what_to_do(plan):
    plan.save()
    with pytest.raises(ValueError, match=r"got --minutes 2 \(was 1\), and the run in .* wanted the same line .* another --out"):
        kept_plan(replace(plan.settings, minutes=2))
    with pytest.raises(ValueError, match=r"got the videos in /elsewhere \(was "):
        kept_plan(replace(plan.settings, videos="/elsewhere"))


def test_other_files_or_another_delay_are_another_run(plan):
    plan.save()
    for change, message in (
        ({"include": ("clip_0*", "clip_1*")}, r"got --include clip_0\* clip_1\* \(was \*\), and the run in"),
        ({"action_delay": 2}, r"got --action_delay 2 \(was 0\), and the run in .* another --out"),
    ):
        with pytest.raises(ValueError, match=message):
            kept_plan(replace(plan.settings, **change))


def test_a_plan_of_before_knows_neither_files_to_include_nor_a_delay(plan):
    plan.save()
    values = json.loads((plan.out / "plan.json").read_text())
    del (
        values["settings"]["include"],
        values["settings"]["action_delay"],
        values["seconds_per_frame"],
        values["found"]["excluded"],
    )
    (plan.out / "plan.json").write_text(json.dumps(values))
    assert kept_plan(plan.settings) == plan


def test_what_is_spelled_otherwise_is_the_same_run_and_a_title_may_come_later(plan):
    plan.save()
    same = replace(plan.settings, out=f"{plan.out}/", hold_out="0.10", licence="CC0-1.0")
    assert kept_plan(same).settings == replace(plan.settings, licence="CC0-1.0")
    named = kept_plan(replace(plan.settings, title="My kitchen"))
    named.save()
    assert kept_plan(plan.settings).settings.title == "My kitchen"


def test_a_run_among_its_own_videos_is_refused(plan, videos):
    for out in (videos, videos / "runs" / "mine"):
        with pytest.raises(ValueError, match=r"which lies in the folder of the videos, .*; name another, such as --out "):
            check_out(replace(plan.settings, out=str(out)))


def test_the_folder_of_a_run_is_tried_and_left_as_it_was(plan, tmp_path):
    check_out(plan.settings)
    assert not plan.out.exists()
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"got --out .*file/mine, which cannot be written \(Not a directory\)"):
        check_out(replace(plan.settings, out=str(tmp_path / "file" / "mine")))


@pytest.mark.parametrize(("minutes", "number"), [(1, 2), (30, 5), (600, 10)])
def test_a_short_training_is_validated_less_often(settings, minutes, number):
    assert validations_of(replace(settings, minutes=minutes)) == number


def test_other_videos_than_before_are_refused(plan):
    Plan(**{**plan.__dict__, "found": replace(plan.found, digest="other")}).save()
    with pytest.raises(ValueError, match=r"got other videos or captions in .* another run with another --out"):
        kept_plan(plan.settings)


def test_a_folder_of_something_else_is_refused(plan):
    plan.out.mkdir()
    (plan.out / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"holds files and no plan.json of a run; wanted an empty folder"):
        kept_plan(plan.settings)
    (plan.out / "plan.json").write_text('{"settings": 3}')
    with pytest.raises(ValueError, match=r"is no plan of this version .*name another --out"):
        kept_plan(plan.settings)


def test_times_add_up(plan):
    assert set(plan.seconds) == {"tokenizer", "tokens", "lm"} and asdict(plan)["tokenizer"]["steps"] == 4
