"""The strategy: what it splits, what it refuses, and how its checkpoints are read."""

import pytest
import torch.distributed as dist
from lightning.pytorch.strategies import ModelParallelStrategy
from trainings import module

from framecast.train import LitGuidance, LitReward, LitVideoLM, Sharded
from framecast.train.restoring import TrainingCheckpointIO, check_strategy
from framecast.train.sharding.checkpoint_io import ShardedCheckpointIO
from framecast.train.sharding.together import together
from framecast.train.trainer import Trainer

ONE = {"accelerator": "cpu", "devices": 1, "precision": "32-true", "logger": False, "enable_checkpointing": False}


def test_a_config_names_it_by_a_word():
    trainer = Trainer(strategy="sharded", **ONE)
    assert isinstance(trainer.strategy, Sharded) and isinstance(trainer.strategy.checkpoint_io, ShardedCheckpointIO)
    check_strategy(trainer.strategy)  # checkpoints go through our reader
    assert not trainer.validate_loop.inference_mode  # weights cannot be gathered in it
    other = Trainer(strategy="auto", **ONE)
    assert type(other.strategy.checkpoint_io) is TrainingCheckpointIO and other.validate_loop.inference_mode


def test_lightnings_own_is_refused():
    with pytest.raises(
        ValueError, match=r"got the strategy ModelParallelStrategy .* or `sharded` for a video LM that is too large"
    ):
        Trainer(strategy=ModelParallelStrategy(), **ONE)
    with pytest.raises(ValueError, match="reads checkpoints in its own way, unchecked; wanted `auto`, `ddp` or `sharded`"):
        check_strategy(ModelParallelStrategy())


def test_a_precision_in_which_little_steps_are_lost_is_refused():
    with pytest.raises(
        ValueError, match=r"got `trainer.precision: bf16-true` with `trainer.strategy: sharded`; wanted bf16-mixed or"
    ):
        Trainer(strategy="sharded", **{**ONE, "precision": "bf16-true"})


def test_what_is_not_split_is_refused_by_its_name():
    strategy = Sharded()
    strategy.connect(module())
    with pytest.raises(
        ValueError, match=r"got `trainer.strategy: sharded` for LitVideoTokenizer; wanted LitVideoLM, .*`trainer.strategy: ddp`"
    ):
        strategy.setup_environment()
    assert LitVideoLM.can_be_sharded and not LitGuidance.can_be_sharded and not LitReward.can_be_sharded


@pytest.fixture
def alone(tmp_path):
    """A group of this process alone."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_what_fails_in_one_process_fails_in_all(alone):
    def fail() -> None:
        raise OSError("the disk is full")

    assert together(lambda: 3) == [3]
    with pytest.raises(KeyError, match="the disk is full"):
        together(fail, KeyError)
