"""Recipes of worlds beside each other: every arm can be built, and the figures notice whether a world answers to actions."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.worlds import judging, training
from benchmarks.worlds.arms import ARMS, Arm
from benchmarks.worlds.clips import Clips, read_clips
from benchmarks.worlds.judging import GIVEN, HORIZON, Figure, judge
from benchmarks.worlds.training import World, tokenise, train_tokenizer, train_world
from framecast.data import ActionSpace, Button
from framecast.data.worlds import RecordingWriter

SMALL = Arm(channels=(8, 8), num_blocks=(1, 1), levels=(4, 4))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(judging, "HORIZON", 4)
    monkeypatch.setattr(training, "NUM_WINDOWS", 4)


@pytest.fixture(scope="module")
def clips() -> Clips:
    torch.manual_seed(0)
    actions = torch.randint(2, (2, GIVEN + HORIZON, 2)).float()
    return Clips(torch.randint(256, (2, GIVEN + HORIZON, 16, 16, 3), dtype=torch.uint8), actions, 12.0)


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_makes_tokens_of_all_frames(name, clips):
    arm = replace(ARMS[name], channels=(8,) * len(ARMS[name].channels))
    tokens = tokenise(arm.tokenizer(), clips)
    side = 16 // 2 ** (len(arm.channels) + 1)
    assert tokens.shape == (2, 1 + (GIVEN + HORIZON - 1) // arm.stride, side, side)


def test_what_led_to_the_first_frame_of_a_stretch_is_unknown(clips):
    stretch = clips.draw(3, 5, torch.Generator().manual_seed(0))
    assert stretch.frames.shape[:2] == (3, 5)
    assert stretch.actions[:, 0].isnan().all()
    assert not stretch.actions[:, 1:].isnan().any()
    assert not clips.actions.isnan().any()  # drawing leaves the clips as they are


@pytest.mark.parametrize("conditioning", ["film", "text"])
def test_delta_notices_whether_a_world_answers_to_actions(conditioning, clips):
    torch.manual_seed(0)
    arm = replace(SMALL, conditioning=conditioning)
    tokenizer = arm.tokenizer().eval()
    world = World(arm, tokenizer, (16, 16), 2).eval()
    deaf = judge(world, tokenizer, clips)
    assert (deaf.delta, deaf.nats_lost, deaf.num_clips) == (Figure(0.0, 0.0), 0.0, 4)
    for weight in world.parameters():
        if not weight.any():  # what starts as zero
            nn.init.normal_(weight, std=0.1)
    hearing = judge(world, tokenizer, clips)
    assert hearing.delta.error > 0
    assert hearing.nats_lost != 0


def test_a_training_leaves_networks_that_can_be_judged(clips):
    tokenizer = train_tokenizer(SMALL, clips, 2)
    world = train_world(SMALL, tokenizer.network, clips, 2)
    verdict = judge(world.network, tokenizer.network, clips)
    assert verdict.tokens_a_second == pytest.approx(4 * 12 / 2)
    assert tokenizer.seconds > 0


def test_a_recording_of_short_episodes_is_refused(tmp_path):
    with RecordingWriter(tmp_path / "short", ActionSpace((Button("a"),)), 12.0) as writer:
        writer.add(torch.zeros(9, 16, 16, 3, dtype=torch.uint8).numpy(), torch.zeros(9, 1).numpy())
    with pytest.raises(ValueError, match=r"no episode of 49 frames; record longer ones"):
        read_clips(tmp_path / "short", 49)
    assert len(read_clips(tmp_path / "short", 9)) == 1
