"""Trainings of two processes on this machine: what is stopped and resumed is what was never stopped."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lm_trainings import CONFIG, TOKENIZER, VIDEO
from trainings import last

from framecast.sample import save_bundle
from framecast.tokenizer import FSQ, VideoTokenizer

TWO = ("--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.accelerator=cpu", "--trainer.val_check_interval=2")
VQ = ("--model.init_args.quantizer=framecast.tokenizer.VQ", "--model.init_args.quantizer.init_args.codebook_size=32")


def train(folder: Path, config: str, steps: int, *options: str) -> dict:
    """The checkpoint after so many steps."""
    words = ["fit", "--config", config, f"--trainer.max_steps={steps}", f"--trainer.default_root_dir={folder}", *TWO, *options]
    subprocess.run([sys.executable, "-m", "framecast", "train", *words], check=True, timeout=280, capture_output=True)
    return last(folder)


def assert_same(one: dict, other: dict) -> None:
    """Weights, averages and the random states of both processes are equal to the last bit."""
    averages = [each["callbacks"]["EMA"]["average"] for each in (one, other)]
    for a, b in [(one["state_dict"], other["state_dict"]), averages]:
        assert not [name for name, value in a.items() if not torch.equal(value, b[name])]
    ranks = [[rank["cpu"] for rank in each["random_state"]["ranks"]] for each in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*ranks, strict=True))
    assert not torch.equal(*ranks[0])  # they draw apart


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("options", [(), VQ, ("--model.init_args.adversarial_start=2",)], ids=["FSQ", "VQ", "adversarial"])
def test_a_tokenizer_of_two_processes_is_resumed_exactly(tmp_path, options):
    whole = train(tmp_path / "whole", "tiny_tokenizer", 4, *options)
    train(tmp_path / "parts", "tiny_tokenizer", 2, *options)  # still warming up, so the schedule is the same
    assert_same(whole, train(tmp_path / "parts", "tiny_tokenizer", 4, *options, "--ckpt_path=last"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_video_lm_of_two_processes_is_resumed_exactly(tmp_path):
    torch.manual_seed(0)
    tokenizer = VideoTokenizer(TOKENIZER, FSQ((4, 4)))
    save_bundle(tmp_path / "bundle", tokenizer, video=VIDEO)
    data = (f"--data.init_args.tokenizer={tmp_path / 'bundle'}", f"--data.init_args.shards={tmp_path / 'shards'}")
    whole = train(tmp_path / "whole", str(CONFIG), 4, *data)
    train(tmp_path / "parts", str(CONFIG), 2, *data)
    assert_same(whole, train(tmp_path / "parts", str(CONFIG), 4, *data, "--ckpt_path=last"))
