"""Long play keeps its look, or fades."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from played_worlds import SETTINGS, Dreamer, fading, right
from studies import figure

from framecast.evaluate.worlds import imitation
from framecast.evaluate.worlds.action_net import train_action_net
from framecast.evaluate.worlds.drift import world_drift

KINDS = ("sharpness", "brightness", "contrast", "colour")


@pytest.fixture(autouse=True)
def short_training(monkeypatch):
    monkeypatch.setattr(imitation, "train_action_net", partial(train_action_net, steps=2))


def test_true_play_stays_and_fading_play_does_not():
    stays, fades = (world_drift(Dreamer(dream), lambda share: None) for dream in (right, fading))
    for name in KINDS[:1] + KINDS[2:]:
        assert figure(stays, f"change of {name}, all streams together") < figure(fades, f"change of {name}, all streams together")
    assert figure(fades, "change of contrast, all streams together") > 40
    assert figure(fades, "sharpness at the end against true video") < -40
    assert figure(fades, "streams of which each measure stays within 5 %") == 0
    assert all(np.isnan(one.low) for one in stays.figures), "of two streams nobody knows how streams differ"


def test_with_more_streams_changes_have_intervals():
    study = Dreamer(right)
    study.settings = replace(SETTINGS, long_clips=4)
    section = world_drift(study, lambda share: None)
    assert all(one.low <= one.value <= one.high and one.count == 4 for one in section.figures if "together" in one.name)


def test_targets_are_those_of_two_thousand_frames():
    section = world_drift(Dreamer(right), lambda share: None)
    assert not any(one.target for one in section.figures)


def test_a_sheet_shows_every_so_many_th_frame_and_the_start():
    section = world_drift(Dreamer(right), lambda share: None)
    assert section.samples[0].frames.ndim == 4 and len(section.samples[0].frames) == 1
    assert [sample.file for sample in section.samples] == ["drift-01.png", "drift-02.png"]
    assert "from the first second to the last eighth" in section.samples[0].note and "2 streams of 64 frames" in section.about
    assert "every 9th frame" in section.samples[0].label and len(section.samples) == 2
