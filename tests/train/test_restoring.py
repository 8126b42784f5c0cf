"""What a checkpoint says is looked through before the first step."""

import pytest
import torch

from benchmarks.reliability.hostile_checkpoints import CHANGES
from framecast.train.restoring import TrainingCheckpointIO, check_ckpt_path, check_strategy


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_wrong_inside_is_said_before_the_first_step(trial, sound, tmp_path, what):
    path = tmp_path / "changed.ckpt"
    torch.save(CHANGES[what](torch.load(sound, weights_only=True)), path)
    with pytest.raises(ValueError, match=r"checkpoint .*; take "):
        TrainingCheckpointIO().load_checkpoint(path)
        trial.resume(path)  # some are sound, but not of this training


def test_a_sound_checkpoint_is_resumed(trial, sound):
    assert trial.resume(sound) == 2


def test_saved_hyper_parameters_are_not_looked_at(trial, sound, tmp_path):
    checkpoint = torch.load(sound, weights_only=True)
    checkpoint["hyper_parameters"] = {"_class_path": "planted_module.Model", "_instantiator": "os.system"}
    torch.save(checkpoint, tmp_path / "hyper.ckpt")
    config = trial.parse([f"--ckpt_path={tmp_path / 'hyper.ckpt'}"])
    trial.config = config
    trial._parse_ckpt_path()
    assert config.fit.model.class_path == "framecast.train.LitVideoTokenizer"


@pytest.mark.parametrize("path", ["best", "hpc", "registry:model", "http://127.0.0.1:9/x.ckpt", "s3://bucket/x", "", "/dev/zero"])
def test_only_last_and_files_are_checkpoints(path):
    check_ckpt_path("last")
    check_ckpt_path(None)
    with pytest.raises(ValueError, match="which is no file; wanted `last` or the file of a checkpoint"):
        check_ckpt_path(path)


def test_a_strategy_with_a_reader_of_its_own_is_refused():
    from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy

    check_strategy(DDPStrategy())
    with pytest.raises(ValueError, match=r"FSDPStrategy, which reads checkpoints in its own way.*--trainer\.strategy"):
        check_strategy(FSDPStrategy())
