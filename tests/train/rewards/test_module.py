"""Training by rewards: what a step learns from, what it leaves alone, and whole runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lm_trainings import SHORT, fit
from torch import Tensor
from trainings import last

from framecast.data import SpriteWorld
from framecast.sample import load_bundle
from framecast.train import MadeClips, Reward, RewardDataModule
from framecast.train.cli import main
from framecast.train.rewards import module
from framecast.train.rewards.groups import Advantages, Groups

QUIET = ("--trainer.enable_progress_bar=false", "--trainer.logger=false", "--samples.every_n_validations=0")
SAW: list[MadeClips] = []
"""What the rewards below were shown last."""


class Brighter(Reward):
    """The frame gets brighter."""

    def judge(self, clips: MadeClips) -> Tensor:
        SAW[:] = [clips]
        light = clips.frames.float().mean(dim=(2, 3, 4))  # [N, T]
        return light[:, -1] - light[:, 0]


class Indifferent(Reward):
    """All clips are worth the same."""

    def judge(self, clips: MadeClips) -> Tensor:
        return torch.ones(len(clips))


class Broken(Reward):
    """Is no number from the second step on."""

    def judge(self, clips: MadeClips) -> Tensor:
        SAW.append(clips)
        return torch.full((len(clips),), torch.nan if len(SAW) > 2 else 0.0) + torch.arange(len(clips))


@pytest.fixture(scope="module")
def start(bundle, shards, tmp_path_factory) -> Path:
    """A bundle to go on from."""
    folder = tmp_path_factory.mktemp("start")
    fit(folder, bundle, shards, *SHORT, "--samples.every_n_validations=0")
    return folder / "bundle"


def reward_fit(folder: Path, start: Path, reward: str, *options: str) -> None:
    main(reward_arguments(folder, start, reward, *options))


def reward_arguments(folder: Path, start: Path, reward: str, *options: str) -> list[str]:
    own = [
        "--model=framecast.train.LitReward",
        f"--model.init_args.reward={__name__}.{reward}",
        f"--model.init_args.init_from={start}",
        "--model.init_args.groups.size=4",
        "--data=framecast.train.RewardDataModule",
        f"--data.init_args.tokenizer={start}",
        f"--data.init_args.shards={folder.parent / 'reward_tokens'}",
        "--data.init_args.source=framecast.data.SpriteWorld",
        *(
            f"--data.init_args.source.init_args.{name}={value}"
            for name, value in {"num_clips": 16, "num_frames": 5, "size": 32}.items()
        ),
        "--data.init_args.val_clips=2",
        "--data.init_args.batch_size=2",
        "--trainer.max_steps=2",
        "--trainer.val_check_interval=2",
    ]
    return ["--allow", __name__, "fit", *QUIET, *own, f"--trainer.default_root_dir={folder}", *options]


def test_a_run_goes_on_from_a_bundle_and_ends_with_one(start, tmp_path):
    reward_fit(tmp_path / "run", start, "Brighter", "--model.init_args.kl_weight=0.1")
    made = load_bundle(tmp_path / "run" / "bundle")
    before = load_bundle(start)
    assert made.hashes["tokenizer.safetensors"] == before.hashes["tokenizer.safetensors"]
    assert made.hashes["text.model"] == before.hashes["text.model"]
    assert any(not torch.equal(*pair) for pair in zip(made.lm.parameters(), before.lm.parameters(), strict=True))
    assert "val/reward" in made.training["metrics"]


def test_a_run_that_is_resumed_equals_one_that_is_not(start, tmp_path):
    options = (
        "--trainer.max_steps=3",
        "--trainer.limit_train_batches=4",
        "--trainer.val_check_interval=2",
        "--model.init_args.kl_weight=0.1",
    )
    reward_fit(tmp_path / "whole", start, "Brighter", *options)
    reward_fit(tmp_path / "parts", start, "Brighter", *options, "--trainer.max_steps=2")
    reward_fit(tmp_path / "parts", start, "Brighter", *options, "--ckpt_path=last")
    whole, parts = (last(tmp_path / name)["state_dict"] for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_groups_that_are_worth_the_same_teach_nothing(start, tmp_path, monkeypatch, capsys):
    reward_fit(tmp_path / "run", start, "Indifferent")
    kept, before = last(tmp_path / "run")["state_dict"], load_bundle(start).lm.state_dict()
    assert all(torch.equal(kept[f"lm.{name}"], value) for name, value in before.items())
    monkeypatch.setattr(module, "_IDLE_STEPS", 2)
    with pytest.raises(SystemExit):
        reward_fit(tmp_path / "other", start, "Indifferent")
    assert "the reward Indifferent gave all clips of a group the same for 2 steps in a row" in capsys.readouterr().err


class IndifferentToSome(Reward):
    """All clips are worth the same to one of two processes."""

    def judge(self, clips: MadeClips) -> Tensor:
        return torch.arange(len(clips)).float() * (torch.distributed.get_rank() == 0)


def test_a_process_whose_groups_are_worth_the_same_does_not_hold_up_the_others(start, tmp_path):
    two = ("--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.accelerator=cpu", "--data.init_args.batch_size=1")
    arguments = reward_arguments(tmp_path / "run", start, "IndifferentToSome", *two)
    paths = os.pathsep.join(sys.path)  # where this module is found
    subprocess.run(
        [sys.executable, "-m", "framecast", "train", *arguments], check=True, timeout=200, env=os.environ | {"PYTHONPATH": paths}
    )
    kept, before = last(tmp_path / "run")["state_dict"], load_bundle(start).lm.state_dict()
    assert last(tmp_path / "run")["global_step"] == 2
    assert any(not torch.equal(kept[f"lm.{name}"], value) for name, value in before.items())


def test_a_broken_reward_ends_the_run_and_leaves_nothing_of_it(start, tmp_path, capsys):
    SAW.clear()
    with pytest.raises(SystemExit) as ended:
        reward_fit(tmp_path / "run", start, "Broken", "--trainer.max_steps=9")
    assert ended.value.code == 1
    assert "the reward Broken gave nan for clip 0 ('" in capsys.readouterr().err
    assert not (tmp_path / "run" / "bundle").exists()


def test_clips_beyond_the_context_are_learned_from_in_parts(start, tmp_path):
    context = load_bundle(start).lm.config.max_parallel_frames
    stride = load_bundle(start).tokenizer.temporal_stride
    longer = 1 + stride * (context + 2)
    reward_fit(tmp_path / "run", start, "Brighter", f"--model.init_args.groups.num_frames={longer}")
    assert SAW[0].frames.shape[1] == longer
    made, before = (load_bundle(folder).lm for folder in (tmp_path / "run" / "bundle", start))
    assert any(not torch.equal(*pair) for pair in zip(made.parameters(), before.parameters(), strict=True))
    with pytest.raises(ValueError, match="got a video of 6 frames; wanted 1"):
        reward_fit(tmp_path / "other", start, "Brighter", "--model.init_args.groups.num_frames=6")
    with pytest.raises(ValueError, match=r"got groups.num_frames 1 and true clips of 5 frames; wanted as many or more"):
        reward_fit(tmp_path / "other", start, "Brighter", "--model.init_args.groups.num_frames=1")
    with pytest.raises(ValueError, match=r"got groups.given 9 and clips of 5 frames; wanted at most"):
        reward_fit(tmp_path / "other", start, "Brighter", "--model.init_args.groups.given=9")


def test_a_bundle_without_a_video_lm_is_refused(bundle, tmp_path):
    with pytest.raises(ValueError, match="it holds a tokenizer and no video LM; name a bundle with one"):
        reward_fit(tmp_path / "run", bundle, "Brighter")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 1}, "wanted a size of at least 2, fork_share in"),
        ({"fork_share": 1.5}, "wanted a size of at least 2, fork_share in"),
        ({"decoding": "jacobi"}, "got groups.decoding 'jacobi'; wanted token, row or frame"),
    ],
)
def test_groups_that_cannot_be_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Groups(**wrong)


def test_what_a_run_cannot_use_is_refused(start, tmp_path):
    with pytest.raises(ValueError, match=r"got true_weight -1\.0 and kl_weight 0.0; wanted at least 0"):
        module.LitReward(Indifferent(), str(start), true_weight=-1.0)
    stills = SpriteWorld(num_clips=4, num_frames=1, size=32)
    data = RewardDataModule(
        SpriteWorld(num_clips=16, num_frames=5, size=32), str(start), str(tmp_path), val_clips=2, stills=stills
    )
    with pytest.raises(ValueError, match="got stills for rewards"):
        data.prepare_data()
    assert not list(tmp_path.iterdir())


def test_a_reward_that_takes_longer_than_the_sampling_is_named(start):
    learner = module.LitReward(Indifferent(), str(start))
    for judging in (3.0, 3.0, 1.0, 3.0, 3.0):  # never three times in a row
        learner._name_if_slow(judging, making=2.0)
    with pytest.warns(UserWarning, match=r"Indifferent takes longer than the sampling: 3.0 s a step, and 2.0 s for the clips"):
        learner._name_if_slow(3.0, making=2.0)


def test_advantages_are_within_a_group_and_count_in_a_running_deviation():
    advantages = Advantages()
    found = advantages(torch.tensor([1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 10.0, 17.0, 24.0]), 3)
    torch.testing.assert_close(found, torch.tensor([-1.0, 0.0, 1.0, 0.0, 0.0, 0.0, -7.0, 0.0, 7.0]) / 5)
    assert advantages(torch.ones(6), 3).tolist() == [0] * 6
    small = advantages(torch.tensor([0.0, 0.0, 0.3]), 3)  # after steps that told more
    torch.testing.assert_close(small, torch.tensor([-0.1, -0.1, 0.2]) / (0.9 * 25 + 0.1 * 0.03) ** 0.5)
