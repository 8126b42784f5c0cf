"""An imitator does what the recording's policy does where it is now."""

from functools import partial

import numpy as np
import pytest
import torch
from played_worlds import MADE, SPACE, recording, ring, view

from framecast.data import ActionSpace, Axis, Button
from framecast.evaluate.worlds import imitation
from framecast.evaluate.worlds.action_net import AHEAD, ActionNet, Shown, train_action_net, true_classes
from framecast.evaluate.worlds.choices import choices_of
from framecast.evaluate.worlds.imitation import Imitator, train_imitator


def seeing(seed: int, length: int) -> Shown:
    """A ring that is turned right while its middle is bright, and left while it is dark: what is done is to be seen."""
    rows = np.zeros((length, 2), np.float32)
    for at in range(1, length):
        middle = view(seed, rows[:at])[-1][:, 8:16].float().mean()
        rows[at, int(middle > ring(seed).mean())] = 1
    return Shown(view(seed, rows), rows)


def test_the_next_action_is_told_from_frames_before_it():
    clips = [seeing(seed, 24) for seed in range(12)]
    choices = choices_of(SPACE, np.concatenate([clip.actions for clip in clips]))
    net = train_action_net(clips[:9], choices, lambda share: None, AHEAD, steps=60)
    for clip in clips[9:]:
        named, true = net.name(clip.frames)[0][:-1], true_classes(choices[0], clip.actions, AHEAD)
        assert len(named) == len(true) == 24 - AHEAD.frames
    hits = [net.name(clip.frames)[0][:-1] == true_classes(choices[0], clip.actions, AHEAD) for clip in clips[9:]]
    assert np.mean(hits) > 0.7


def test_actions_are_those_of_the_space_and_differ_by_seed(monkeypatch):
    monkeypatch.setattr(imitation, "train_action_net", partial(train_action_net, steps=2))
    known = recording()
    seen = [start.frames for start in known.starts]

    def played(seed: int) -> np.ndarray:
        imitator = train_imitator(known, lambda share: None, seed)
        return np.stack([imitator(seen) for _ in range(10)])

    first, again, other = played(1), played(1), played(2)
    assert first.shape == (10, len(seen), 2) and first.dtype == np.float32 and (first.sum(axis=2) <= 1).all()
    assert (first == again).all() and (first != other).any()


def test_axes_are_held_where_the_recording_holds_them():
    space = ActionSpace((Button("gas", "ArrowUp"),), (Axis("steering"),))
    rows = np.stack([np.ones(90), np.repeat([-0.8, 0.1, 0.6], 30)], axis=1).astype(np.float32)
    imitator = Imitator(ActionNet(choices_of(space, rows), AHEAD).eval(), rows)
    done = np.stack([imitator([torch.zeros(MADE, 16, 24, 3, dtype=torch.uint8)])[0] for _ in range(40)])
    assert (done[:, 0] == 1).all()
    assert sorted(set(done[:, 1].round(3).tolist())) == pytest.approx([-0.8, 0.1, 0.6])


def test_who_never_changed_anything_is_imitated_too():
    imitator = Imitator(ActionNet((), AHEAD).eval(), np.full((9, 2), 0.5, np.float32))
    assert imitator([torch.zeros(4, 16, 24, 3, dtype=torch.uint8)])[0].tolist() == [0.5, 0.5]
