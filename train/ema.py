"""`EMA`: a slow average of the weights, which is what gets validated and exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from torch import Tensor

from .module import TrainingModule
from .restoring import check_weights
from .sharding.tensors import give_back, local, swap


class EMA(L.Callback):
    """Exponential moving average of the network's parameters, kept in the checkpoint; buffers are taken as they are.

    If the weights are split over processes, so is their average.

    Args:
        decay: Share of the average that stays at each step, in [0, 1); smaller in the first steps, so that the random
            weights from before the training are soon forgotten.

    Raises:
        ValueError: If `decay` is out of range.
    """

    def __init__(self, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"got decay {decay}; wanted 0 <= decay < 1; 0 turns averaging off")
        self.decay = decay
        self.num_updates = 0
        self.average: dict[str, Tensor] = {}
        """The averaged parameters by name; those of the training while the network has the averaged ones."""
        self._swapped = False

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Lightning would leave out what is empty, and the average would begin anew in silence."""
        if not checkpoint["callbacks"].get(self.state_key):
            raise ValueError("it holds no averaged weights")

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        parameters = _parameters(pl_module)
        start = self.average or parameters
        check_weights(start, parameters)
        self.average = {name: start[name].detach().to(p, copy=True) for name, p in parameters.items()}

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Moves the average once for each step of the optimizer."""
        if trainer.global_step <= self.num_updates:
            return
        self.num_updates = trainer.global_step
        decay = min(self.decay, (1 + self.num_updates) / (10 + self.num_updates))
        current = [local(p) for p in _parameters(pl_module).values()]
        torch._foreach_lerp_([local(average) for average in self.average.values()], current, 1 - decay)

    @contextmanager
    def averaged(self, pl_module: L.LightningModule) -> Iterator[None]:
        """Inside, the network has the averaged weights."""
        self._swap(pl_module)
        try:
            yield
        finally:
            self._swap(pl_module)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.average:
            self._swap(pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.average:
            self._swap(pl_module)

    def put_back(self, pl_module: L.LightningModule) -> None:
        """Gives the network the weights of the training again, if a validation was left before its end."""
        if self._swapped:
            self._swap(pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "num_updates": self.num_updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.average, self.num_updates = dict(state_dict["average"]), int(state_dict["num_updates"])

    def _swap(self, pl_module: L.LightningModule) -> None:
        self._swapped = not self._swapped
        for name, parameter in _parameters(pl_module).items():
            swap(parameter, self.average[name])


def _parameters(pl_module: L.LightningModule) -> dict[str, Tensor]:
    assert isinstance(pl_module, TrainingModule), pl_module
    give_back(pl_module)
    return dict(pl_module.network.named_parameters())
