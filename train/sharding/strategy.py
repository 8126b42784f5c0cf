"""`Sharded`: Lightning's `ModelParallelStrategy` for weights that are split over all processes."""

import os
from typing import Any

from lightning.pytorch.strategies import ModelParallelStrategy, StrategyRegistry
from lightning.pytorch.strategies.strategy import Strategy
from torch.distributed.device_mesh import DeviceMesh

from ..module import TrainingModule
from .checkpoint_io import ShardedCheckpointIO
from .watch import Watch


class Sharded(ModelParallelStrategy):
    """Splits weights, gradients, averages and the memory of the optimizer over all processes (FSDP2).

    So a network can be larger than one GPU holds. In a config: `trainer.strategy: sharded`. A checkpoint is a folder to which all
    processes write. If a process dies, the others say which, and end.

    Args:
        process_group_backend: What the processes talk by; None is nccl on GPUs and gloo on CPUs.

    Raises:
        ValueError: What is trained cannot be split, which is known when a training begins.
    """

    # Checkpoints go through our reader, as with every other strategy, and in the same order: the network has its memory early.
    restore_checkpoint_after_setup = False
    lightning_restore_optimizer = True
    load_checkpoint = Strategy.load_checkpoint
    load_model_state_dict = Strategy.load_model_state_dict
    load_optimizer_state_dict = Strategy.load_optimizer_state_dict
    lightning_module_state_dict = Strategy.lightning_module_state_dict
    optimizer_state = Strategy.optimizer_state

    def __init__(self, process_group_backend: str | None = None):
        super().__init__(process_group_backend=process_group_backend)
        self.checkpoint_io = ShardedCheckpointIO(lambda: self.mesh)
        self._watch: Watch | None = None
        self._failed = False

    @property
    def mesh(self) -> DeviceMesh:
        """All processes, in one dimension."""
        return self.device_mesh["data_parallel"]

    def setup_environment(self) -> None:
        module: Any = self.lightning_module
        assert isinstance(module, TrainingModule), module
        if not module.can_be_sharded:
            raise ValueError(
                f"got `trainer.strategy: sharded` for {type(module).__name__}; wanted LitVideoLM, a video LM that learns from "
                "tokens, since nothing else is split; set `trainer.strategy: ddp`"
            )
        self._data_parallel_size, self._tensor_parallel_size = self.num_nodes * self.num_processes, 1
        super().setup_environment()
        module.trainer.datamodule.prepare_data_per_node = False  # the machines share their folders
        self._watch = Watch(self.global_rank, self.world_size, os.environ["MASTER_ADDR"], lambda: module.trainer.interrupted)

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any | None = None) -> None:
        self.checkpoint_io.save_checkpoint(checkpoint, filepath, storage_options)

    def on_exception(self, exception: BaseException) -> None:
        self._failed = True
        super().on_exception(exception)

    def teardown(self) -> None:
        if self._watch is not None:
            self._watch.leave(self._failed)
        super().teardown()


StrategyRegistry.register("sharded", Sharded, description="weights split over all processes (FSDP2)")
