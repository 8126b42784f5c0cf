"""Keys that are obeyed are named from the video, show in time and are held; a world that is deaf or late is found out."""

import numpy as np
import pytest
from played_worlds import Dreamer, deaf, late, recording, right
from studies import figure

from framecast.evaluate.worlds import keys as keys_file
from framecast.evaluate.worlds.action_net import AROUND, Shown, train_action_net
from framecast.evaluate.worlds.chance import AT_CHANCE
from framecast.evaluate.worlds.choices import choices_of
from framecast.evaluate.worlds.keys import world_keys
from framecast.evaluate.worlds.response import block_distance, first_shown


@pytest.fixture(scope="module")
def measured():
    """Sections by dream, all with one network."""
    known = recording()
    net = train_action_net(known.others, choices_of(known.space, known.rows), lambda share: None, steps=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys_file, "train_action_net", lambda *_: net)
        sections = {dream.__name__: world_keys(Dreamer(dream, known), lambda share: None) for dream in (right, deaf, late)}
        sections["alone"] = world_keys(Dreamer(right, recording(has_truth=False)), lambda share: None)
    return sections


NAMED = "actions named from generated video, above chance, of true video"
SHOWN = "pressed keys that show within one latent frame"
HELD = "frames in which a held key is named"


def test_the_network_names_true_video(measured):
    assert figure(measured["right"], "actions named from true video") > 90
    usual = figure(measured["right"], "turn left / turn right: right by always saying the commonest")
    assert 30 < usual < 80


def test_right_dreams_are_named_as_well_as_true_video(measured):
    section = measured["right"]
    assert figure(section, NAMED) == pytest.approx(100)
    assert figure(section, SHOWN) == 100 and figure(section, HELD) > 85
    assert figure(section, "frames until a pressed key shows in the true environment") == 1
    assert {one.target for one in section.figures if one.target} == {">= 95 (W3)"}


def test_deaf_dreams_are_not(measured):
    section = measured["deaf"]
    assert figure(section, NAMED) < 50
    assert figure(section, SHOWN) == 0 and figure(section, HELD) < 20
    assert np.isnan(figure(section, "frames until a pressed key shows"))


def test_late_dreams_obey_too_late(measured):
    section = measured["late"]
    assert figure(section, SHOWN) == 0 and figure(section, "frames until a pressed key shows") == 10
    held = next(curve for curve in section.curves if curve.name == "held, dreamt")
    assert held.y[0] < 0.5 < held.y[-1]


def test_without_the_environment_every_key_counts(measured):
    section = measured["alone"]
    assert figure(section, SHOWN) == 100 and "a key that truly does nothing" in section.about
    assert not any("in the true environment" in one.name for one in section.figures)
    assert "true with the key" not in section.samples[0].note and "true with the key" in measured["right"].samples[0].note


def test_a_recording_in_which_nothing_is_done_has_no_keys():
    known = recording(starts=1, others=1)
    known.starts[0].clip.actions.zero_()
    known.others[0].actions[:] = 0
    section = world_keys(Dreamer(right, known), lambda share: None)
    assert not section.figures and "hardly ever change" in section.about


def test_windows_end_where_frames_do():
    known = recording(starts=1, others=1)
    net = train_action_net(known.others, choices_of(known.space, known.rows), lambda share: None, steps=1)
    frames = known.others[0].frames
    assert len(net.name(frames)[0]) == len(frames) - AROUND.frames + 1
    assert len(net.name(frames[:5])[0]) == 0
    wide = Shown(frames.repeat(1, 8, 8, 1), known.others[0].actions)
    assert len(train_action_net([wide], net.choices, lambda share: None, steps=1).name(wide.frames)[0]) == len(frames) - 5


def test_a_judge_that_learned_nothing_says_nothing():
    known = recording()
    with pytest.MonkeyPatch.context() as patch:
        untrained = train_action_net(known.others, choices_of(known.space, known.rows), lambda share: None, steps=1)
        patch.setattr(keys_file, "train_action_net", lambda *_: untrained)
        section = world_keys(Dreamer(right, known), lambda share: None)
    found = next(one for one in section.figures if one.name.startswith(NAMED))
    assert np.isnan(found.value) and found.lacking == AT_CHANCE and found.target == ">= 95 (W3)" and found.count == 4
    assert np.isnan(figure(section, HELD)) and not any(curve.plot.startswith("A held key") for curve in section.curves)


def test_the_judge_learns_from_a_further_recording_too(monkeypatch):
    known, taught = recording(starts=1, others=1), []
    monkeypatch.setattr(keys_file, "lessons", lambda *_: known.others * 2)
    monkeypatch.setattr(
        keys_file, "train_action_net", lambda clips, *_: taught.append(clips) or train_action_net(clips, *_, steps=1)
    )
    section = world_keys(Dreamer(right, known), lambda share: None)
    assert len(taught[0]) == 3 and "(1 clip and 2 clips of another recording)" in section.about


def test_a_difference_shows_once_a_block_of_it_is_plain(measured):
    still = Dreamer(right).recording.starts[0].frames
    moved = still.clone()
    moved[3, :2, :2] += 60
    assert first_shown(block_distance(still, moved)) == 3
    moved[2] += 1
    assert first_shown(block_distance(still, moved)) == 3, "rounding does not show"
    assert np.isnan(first_shown(block_distance(still, still)))
