"""Recipes for real video beside each other: every arm can be built and trained, and the figures notice what it makes."""

import json
from dataclasses import replace

import pytest
import torch
from real_videos import write_folder

from benchmarks.videos import judging
from benchmarks.videos.__main__ import main
from benchmarks.videos.arms import ARMS, BASE
from benchmarks.videos.clips import read_videos
from benchmarks.videos.judging import judge
from benchmarks.videos.networks import FrameAttention, with_attention
from benchmarks.videos.training import train_tokenizer, weighed
from benchmarks.worlds import training
from benchmarks.worlds.clips import Clips
from benchmarks.worlds.training import World

SMALL = replace(BASE, channels=(8, 8), num_blocks=(1, 1), levels=(4, 4))
LENGTH = judging.GIVEN + judging.HORIZON


@pytest.fixture(scope="module")
def clips() -> Clips:
    """Two clips of noise that stands still and then moves by a pixel a frame."""
    torch.manual_seed(0)
    picture = torch.randint(256, (2, 1, 32, 32, 3), dtype=torch.uint8)
    frames = torch.cat([picture.roll(max(0, frame - 16), dims=3) for frame in range(LENGTH)], dim=1)
    return Clips(frames, torch.zeros(2, LENGTH, 0), 10.0)


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_trains_a_tokenizer_that_encodes_and_decodes(name, clips):
    arm = replace(ARMS[name], channels=(8,) * len(ARMS[name].channels), num_blocks=(1,) * len(ARMS[name].channels))
    tokenizer = train_tokenizer(arm, clips, 1).network
    tokens = tokenizer.encode(clips.video())
    assert tokenizer.decode(tokens).shape == (2, 3, LENGTH, 32, 32)
    assert arm.trained_as != replace(arm, chroma=0.9).trained_as


def test_attention_begins_as_the_identity_and_keeps_what_streams(clips):
    torch.manual_seed(0)
    plain = SMALL.tokenizer().eval()
    video = clips.video()
    before = plain.decode(plain.encode(video))
    tokenizer = with_attention(plain)
    tokens = tokenizer.encode(video)
    assert torch.equal(tokenizer.decode(tokens), before)
    for module in tokenizer.modules():
        if isinstance(module, FrameAttention):
            torch.nn.init.normal_(module.out.weight)
    whole, state = tokenizer.decode(tokens), tokenizer.init_decoder_state(2, 4, 4)
    pieces = torch.cat([tokenizer.decode(tokens[:, frame : frame + 1], state) for frame in range(tokens.shape[1])], dim=2)
    assert not torch.equal(whole, before)
    torch.testing.assert_close(pieces, whole)


def test_grey_has_no_colour_to_weigh():
    grey, red = torch.full((1, 3, 1, 2, 2), 0.4), torch.tensor([0.8, 0.0, 0.0]).view(1, 3, 1, 1, 1)
    torch.testing.assert_close(weighed(grey, 0.25), grey)
    assert weighed(red, 0.0).unique().numel() == 1
    assert torch.equal(weighed(red, 1.0), red)


def test_a_verdict_says_bits_steadiness_and_what_continuations_gain(clips):
    torch.manual_seed(0)
    tokenizer = SMALL.tokenizer().eval()
    verdict = judge(World(SMALL, tokenizer, (32, 32), 0).eval(), tokenizer, clips)
    assert verdict.bits == pytest.approx(4 * 9 * 16 / (LENGTH * 32 * 32))
    assert verdict.nats == pytest.approx(2.8, abs=0.4)  # guessing evenly among 16 tokens, nearly
    assert set(verdict.continued) == set(judging.TEMPERATURES)
    assert 0 <= verdict.steady.mean <= 1


def test_the_truth_gains_and_moves_as_much_and_what_stands_still_does_neither(clips, monkeypatch):
    torch.manual_seed(0)
    tokenizer = SMALL.tokenizer().eval()
    world, true = World(SMALL, tokenizer, (32, 32), 0).eval(), clips.video()[:, :, judging.GIVEN :]
    still = clips.video()[:, :, judging.GIVEN - 1 : judging.GIVEN].expand_as(true)
    found = []
    for future in (true, still):
        monkeypatch.setattr(judging, "dreamt", lambda *args, future=future: future)
        found.append(judge(world, tokenizer, clips).continued[0.9])
    assert found[0].gain.mean > 50 and found[0].motion == pytest.approx(1)
    assert found[1].gain.mean == 0 and found[1].motion < 0.1


def test_the_command_compares_arms_of_several_seeds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "NUM_WINDOWS", 4)
    monkeypatch.setattr(
        "benchmarks.videos.__main__.ARMS", {"base": SMALL, "steady": replace(SMALL, steadiness=ARMS["steady"].steadiness)}
    )
    videos = str(write_folder(tmp_path / "videos"))
    steps = ["--tokenizer_steps", "1", "--lm_steps", "1", "--size", "32", "--seeds", "2"]
    main([videos, videos, *steps, "--arms", "base", "steady", "--out", str(tmp_path / "out.json")])
    report = json.loads((tmp_path / "out.json").read_text())
    assert [len(report["arms"][name]) for name in ("base", "steady")] == [2, 2]
    assert "±" in capsys.readouterr().out
    assert len(read_videos(tmp_path / "videos", 33, 32, 10.0)) == 4
