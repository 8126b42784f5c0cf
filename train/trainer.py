"""`Trainer`: Lightning's, whose precision follows from the machine and which refuses what would train apart in silence."""

import os
from typing import Any, Literal

import lightning as L
import torch
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, SingleDeviceStrategy
from lightning.pytorch.utilities import rank_zero_info

from ..machine import bfloat16_pays, product_rates, warn_if_slow
from .checkpoints import DECIDED
from .checkpoints import Precision as DecidedPrecision
from .restoring import TrainingCheckpointIO
from .sharding.strategy import Sharded

Precision = Literal[
    "auto", "32", "32-true", "bf16", "bf16-mixed", "bf16-true", "16", "16-mixed", "16-true", "64", "64-true", "transformer-engine"
]
_DECIDED = "FRAMECAST_PRECISION"
"""The variable in which the first process tells those that it starts what was decided."""


class Trainer(L.Trainer):
    """Lightning's trainer with atomic checkpoints.

    Args:
        precision: `auto` takes bf16-mixed where the machine computes products faster in bfloat16 than in float32, and 32-true
            where not; it is measured, in less than a tenth of a second. Anything else is Lightning's.
        accelerator: As Lightning's.
        kwargs: As Lightning's.

    Raises:
        ValueError: The strategy has processes that do not share their gradients, or does not go with the precision.
    """

    def __init__(self, *, precision: Precision | int | None = "auto", accelerator: str | Accelerator = "auto", **kwargs: Any):
        device = best_device(accelerator)
        if precision in ("auto", None):
            precision = _decide(device)
        elif str(precision).startswith("bf16"):
            warn_if_slow(torch.bfloat16, device)
        super().__init__(precision=precision, accelerator=accelerator, **kwargs)  # type: ignore[arg-type]
        if isinstance(self.strategy, Sharded):  # it has its own
            _check_precision(self)
            _never_in_inference_mode(self)
        else:
            self.strategy.checkpoint_io = TrainingCheckpointIO()
        _check_strategy(self)


def _decide(device: torch.device) -> DecidedPrecision:
    """The faster precision, the same one in all processes of a run, said in one line."""
    started_by_another = "LOCAL_RANK" in os.environ
    decided = os.environ.get(_DECIDED) if started_by_another else None
    if decided is None:
        decided = "bf16-mixed" if bfloat16_pays(device) else "32-true"
        rank_zero_info(f"precision: {decided} ({product_rates() if device.type == 'cpu' else device.type})")
    os.environ[_DECIDED] = decided
    return "bf16-mixed" if decided == "bf16-mixed" else "32-true"


def best_device(accelerator: str | Accelerator) -> torch.device:
    """Where Lightning will compute."""
    name = accelerator if isinstance(accelerator, str) else type(accelerator).__name__.removesuffix("Accelerator").lower()
    if name in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return torch.device("cuda")
    if name in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _check_precision(trainer: L.Trainer) -> None:
    if trainer.precision not in DECIDED:
        raise ValueError(
            f"got `trainer.precision: {trainer.precision}` with `trainer.strategy: sharded`; wanted {' or '.join(DECIDED)}, "
            "since gradients are summed and weights are averaged in float32; set one of them, or `auto`"
        )


def _never_in_inference_mode(trainer: L.Trainer) -> None:
    """Split weights cannot be gathered in that mode: its tensors do not say when they have changed."""
    for loop in (trainer.validate_loop, trainer.test_loop, trainer.predict_loop):
        loop.inference_mode = False


def _check_strategy(trainer: L.Trainer) -> None:
    known = isinstance(trainer.strategy, (DDPStrategy, SingleDeviceStrategy, Sharded))
    if not known and (trainer.world_size > 1 or isinstance(trainer.strategy, ModelParallelStrategy)):
        raise ValueError(
            f"got the strategy {type(trainer.strategy).__name__} with {trainer.world_size} processes, which would train "
            "apart from each other, or keep checkpoints in a way that is not read; wanted one that shares gradients; set "
            "`trainer.strategy: ddp`, or `sharded` for a video LM that is too large for one GPU"
        )
