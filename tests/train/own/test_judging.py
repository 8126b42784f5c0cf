"""The report of a trained model."""

from dataclasses import replace

from framecast.train.own.judging import settings_of


def test_the_report_has_the_captions_of_the_training(plan):
    assert settings_of(plan).captions is None
    own = replace(plan, settings=replace(plan.settings, captions="other.jsonl"))
    assert settings_of(own).captions == "other.jsonl" and settings_of(own).real == plan.settings.videos
