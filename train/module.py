"""`TrainingModule`: what both trainings share: optimizer, schedule, random state, steps that survive a bad batch."""

from abc import ABC, abstractmethod
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_warn
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from .optim import AdamWConfig
from .randomness import RandomState, begin_apart, random_state, restore
from .restoring import check_optimizers, check_weights
from .sharding.tensors import is_finite, whole

_MAX_BAD_STEPS = 10


class TrainingModule(L.LightningModule, ABC):
    """Steps a network; the network itself knows nothing of training.

    A step whose gradient is not finite changes nothing: neither weights nor optimizer. Several in a row end the run.

    Args:
        optimizer: AdamW and its schedule.
    """

    what: str
    """What is trained, in a word or two."""
    unit: str
    """What `count` counts, in the plural."""
    can_be_sharded: bool = False
    """Whether `configure_model` splits the network if the processes are a `device_mesh`."""

    def __init__(self, optimizer: AdamWConfig):
        super().__init__()
        self.recipe = optimizer
        self.bad_steps = 0
        """Steps in a row whose gradient was not finite."""
        self.suspects: list[str] = []
        """Names of the clips of the last batch of which something became not finite, if they are known."""
        self._random_state: RandomState | None = None

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """What is trained, averaged and exported."""

    def whole_network(self) -> nn.Module | None:
        """The network with all its weights, in process 0; it may be None in the others. All processes must call this."""
        return self.network

    @abstractmethod
    def bundle(self, network: Any = None) -> dict[str, Any]:
        """The parts of the bundle this training makes, as arguments of `save_bundle`; with another network, if one is given."""

    @property
    def tokenizer_bundle(self) -> dict[str, str] | None:
        """Folder and hash of the bundle whose tokenizer the tokens are of; None if that tokenizer is what is trained."""
        return None

    @abstractmethod
    def count(self, batch: dict[str, Any]) -> int:
        """How many units a batch holds (`unit` names them), for the throughput."""

    def make_optimizer(self) -> torch.optim.Optimizer:
        """What moves the parameters."""
        return self.recipe.optimizer(self)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimizer = self.make_optimizer()
        num_steps = self.trainer.estimated_stepping_batches
        if num_steps == float("inf"):
            raise ValueError("got no `trainer.max_steps`; wanted one, since the learning rate falls towards that step")
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self.recipe.schedule(optimizer, int(num_steps)), "interval": "step"},
        }

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips; drops all gradients if one is not finite, so that the optimizer finds nothing to do.

        Lightning's own clipping would compute the norm again, and refuses optimizers whose step is fused.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = whole(torch.nn.utils.get_total_norm([p.grad for p in parameters]))
        if not torch.isfinite(norm):
            optimizer.zero_grad(set_to_none=True)
            return self._count_bad_step()
        self.bad_steps = 0
        self.log("train/gradient_norm", norm)
        if gradient_clip_val and gradient_clip_algorithm == "value":
            torch.nn.utils.clip_grad_value_(parameters, gradient_clip_val)
        elif gradient_clip_val:
            torch.nn.utils.clip_grads_with_norm_(parameters, gradient_clip_val, norm)

    def _count_bad_step(self) -> None:
        self.bad_steps += 1
        clips = f" ({', '.join(self.suspects)})" if self.suspects else ""
        rank_zero_warn(f"step {self.global_step}: the gradient is not finite; this batch{clips} changes nothing")

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Ends the run after too many bad steps in a row; here the last one is over, and what was learned before can be kept."""
        if self.bad_steps >= _MAX_BAD_STEPS:
            raise FloatingPointError(
                f"the gradient was not finite for {self.bad_steps} steps in a row, up to step {self.global_step}; the "
                "weights are those from before; lower `model.init_args.optimizer.learning_rate`, set "
                "`trainer.precision: 32`, or look for broken clips in the data, then go on with `--ckpt_path last`"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the state of the random generators; refuses to keep weights that are not finite."""
        broken = [name for name, value in self.state_dict().items() if not is_finite(value)]
        if broken:
            raise FloatingPointError(
                f"got values that are not finite in {', '.join(broken[:3])} at step {self.global_step}; a checkpoint "
                "of them is of no use and none was written; go on from the one before with `--ckpt_path last` and a "
                "lower `model.init_args.optimizer.learning_rate`"
            )
        checkpoint["precision"] = self.trainer.precision
        checkpoint["random_state"] = random_state(self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses the weights of another network, before any of them is in place."""
        check_weights(checkpoint["state_dict"], self.state_dict())
        self._random_state = checkpoint["random_state"]

    def on_fit_start(self) -> None:
        """All processes compute in one precision, or the run ends here."""
        bits = self.trainer.strategy.all_gather(torch.tensor(int("bf16" in self.trainer.precision), device=self.device))
        if bits.min() != bits.max():
            raise ValueError(
                "got `trainer.precision: auto` and machines that differ in what is fastest; wanted one precision for all "
                "processes; set `--trainer.precision` to bf16-mixed or 32-true"
            )

    def on_train_start(self) -> None:
        """The random generators go on where the checkpoint left them."""
        check_optimizers(self.trainer.optimizers, self.global_step)
        if self._random_state is None:
            begin_apart(self.trainer)
        else:
            restore(self._random_state, self.trainer)
            self._random_state = None
