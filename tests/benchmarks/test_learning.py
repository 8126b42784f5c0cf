"""Recipes of the video LM beside each other: every arm trains, and the table says what the runs say."""

import math

import pytest
import torch
from lm_trainings import tokens

from benchmarks.learning import __main__ as command
from benchmarks.learning.arms import ARMS, BASES
from benchmarks.learning.comparing import Comparison, Difference, interpolate
from benchmarks.learning.networks import PreviousPlace
from benchmarks.learning.training import ArmTraining, Loop, Run, batches, held_out_nats, prepared
from framecast.data import SpriteWorld
from framecast.model import shift_tokens, to_sequence
from framecast.sample import save_bundle
from framecast.tokenizer import FSQ, VideoTokenizer, VideoTokenizerConfig


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A few clips, some of their single frames, and a tokenizer that was not trained, with as many tokens as the speedrun's."""
    folder = tmp_path_factory.mktemp("learning")
    tokenizer = VideoTokenizer(VideoTokenizerConfig(channels=(8, 8), num_blocks=(1, 1)), FSQ((8, 5, 5, 5)))
    bundle = save_bundle(folder / "bundle", tokenizer, video={"height": 32, "width": 32, "fps": 12.0})
    stills = SpriteWorld(num_clips=12, num_frames=1, size=32)
    source = SpriteWorld(num_clips=12, num_frames=17, size=32)
    return prepared(tokens(bundle, folder / "tokens", source, stills=stills, stills_per_clip=2, batch_size=3))


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_trains(name, data):
    arm = ARMS[name]
    torch.manual_seed(0)
    module = arm.training_of(data)
    before = [p.clone() for p in module.parameters()]
    loop = Loop(module, batches(data), 2, arm.decay)
    for _ in range(2):
        assert loop() >= 0
    moved = [not torch.equal(*pair) for pair in zip(before, module.parameters(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)
    with loop.average.averaged(module):
        nats = held_out_nats(module)
    assert set(nats) == {"token", "row", "frame"}
    assert all(0 < value < 20 for value in nats.values())


@pytest.mark.parametrize("block_length", [1, 4, 16])
def test_the_same_place_in_the_latent_frame_before(block_length, data):
    module = ArmTraining(data, ARMS["all, same place in the latent frame before"])
    lm, clip = module.network, next(iter(data.train_dataloader()))["tokens"]
    assert isinstance(lm, PreviousPlace)
    found = lm.tokens_before(shift_tokens(clip, block_length, lm.start_id), block_length)
    frame = lm.frame_length
    assert (found[:, :frame] == lm.start_id).all()
    assert torch.equal(found[:, frame:], to_sequence(clip)[:, :-frame])


def run(arm: str, seed: int, steps: int, nats: float) -> Run:
    return Run(arm, seed, steps, {"row": nats}, 1.0)


def test_arms_are_compared_with_the_base_of_their_seed():
    runs = [
        run(name, seed, steps, nats + seed)
        for seed in range(3)
        for name, steps, nats in zip(BASES, (100, 60, 160), (2, 3, 1.5), strict=True)
    ]
    runs += [run("x", seed, 100, 1.5 + seed + 0.01 * seed) for seed in range(3)]
    row = Comparison(runs, {"x": 1.6}).row("x")
    assert row.num_seeds == 3
    assert row.nats["row"] == pytest.approx((2.51, 1.01), abs=1e-9)
    assert row.equal_steps.share == pytest.approx((1.5 / 2 + 2.51 / 3 + 3.52 / 4) / 3)
    assert row.equal_steps.p < 0.001
    assert row.equal_time.share == pytest.approx((1.5 / 1.5 + 2.51 / 2.5 + 3.52 / 3.5) / 3)
    assert row.equal_time.p > 0.05


def test_what_was_run_is_in_the_table_and_not_run_again(tmp_path, monkeypatch, capsys):
    out = tmp_path / "learning.json"
    runs = [run(name, 0, steps, nats) for name, steps, nats in zip(BASES, (100, 60, 160), (2, 3, 1.5), strict=True)]
    command.write(out, 100, [*runs, run("Muon", 0, 100, 1.8)], {"Muon": 1.25})
    monkeypatch.setattr(command, "open_data", lambda *_: None)
    wanted = []
    monkeypatch.setattr(command, "_in_processes", lambda work, missing, processes: wanted.extend(missing) or [])
    command.main(["--arms", "Muon", "--seeds", "1", "--steps", "100", "--out", str(out)])
    assert wanted == []
    row = next(line for line in capsys.readouterr().out.splitlines() if "Muon" in line)
    assert all(cell in row for cell in ("1.800", "0.900", "1.25"))
    with pytest.raises(SystemExit, match=r"got --steps 200 and runs of 100 in .*; wanted equal ones; name another --out"):
        command.main(["--arms", "Muon", "--steps", "200", "--out", str(out)])


def test_between_two_lengths_the_logarithm_of_the_steps_counts():
    curve = {100: 2.0, 200: 1.0}
    assert interpolate(curve, 100) == 2.0
    assert interpolate(curve, 100 * math.sqrt(2)) == pytest.approx(1.5)
    assert interpolate(curve, 99) is None
    assert interpolate(curve, 201) is None


def test_a_single_seed_has_no_p_value():
    assert str(Difference.of([1.0], [2.0])) == "0.500"
    assert str(Difference.of([1.0, 1.1], [2.0, 2.0])).startswith("0.525 (p 0.03")
