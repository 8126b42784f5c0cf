"""Restoring a training: a checkpoint that is sound, and that of this training, or an error that says what is wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import Strategy
from packaging.version import Version
from torch import Tensor

from .checkpoints import AtomicCheckpointIO
from .muon import Muon
from .sharding.parts import is_in_parts
from .sharding.tensors import is_finite

_REMEDY = "take one of this training, or start anew without `--ckpt_path`"
_WANTED: dict[str, type] = {
    "epoch": int,
    "global_step": int,
    "pytorch-lightning_version": str,
    "state_dict": dict,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
    "random_state": dict,
}
_ADAM = {"step", "exp_avg", "exp_avg_sq"}
LIKE_PARAMETERS = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer")
"""What optimizers remember in the shape of a parameter."""


class TrainingCheckpointIO(AtomicCheckpointIO):
    """Reads checkpoints of trainings only."""

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """As `AtomicCheckpointIO`.

        Raises:
            ValueError: It cannot be read, or lacks what a training saves.
        """
        checkpoint = super().load_checkpoint(path, map_location, weights_only)
        try:
            _check_parts(checkpoint)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise ValueError(f"checkpoint {path} is of no training of `framecast train` ({error}); {_REMEDY}") from error
        return checkpoint


def check_ckpt_path(path: str | None) -> None:
    """Only `last`, files, and folders of checkpoints in parts are read.

    Raises:
        ValueError: `path` is something else: a name that Lightning would look up elsewhere, an address, or nothing.
    """
    if path is not None and path != "last" and not (Path(path).is_file() or is_in_parts(Path(path))):
        raise ValueError(
            f"got `--ckpt_path {path}`, which is no file; wanted `last` or the file of a checkpoint, since nothing else is "
            "read; give its path"
        )


def check_strategy(strategy: Strategy) -> None:
    """A strategy that reads checkpoints by itself would not go through our reader.

    Raises:
        ValueError: It is such a one.
    """
    if type(strategy).load_checkpoint is not Strategy.load_checkpoint:
        raise ValueError(
            f"got `--ckpt_path` with {type(strategy).__name__}, which reads checkpoints in its own way, unchecked; wanted "
            "`auto`, `ddp` or `sharded`; set `--trainer.strategy`"
        )


@contextmanager
def naming_misfits(trainer: L.Trainer) -> Iterator[None]:
    """What fails while a checkpoint is put into place is the checkpoint's fault, and is said so.

    Raises:
        ValueError: The checkpoint is of another training.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError) as error:
        if not trainer._checkpoint_connector._loaded_checkpoint:  # all is in place
            raise
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        reason = kind + " ".join(str(error).split())[:600]
        raise ValueError(f"checkpoint {trainer.ckpt_path} does not fit this training ({reason}); {_REMEDY}") from error


def check_weights(saved: Mapping[str, Any], own: Mapping[str, Tensor]) -> None:
    """Saved weights have the names, the shapes and the kinds of `own`, and are finite.

    Raises:
        ValueError: They have others.
    """
    if strange := sorted(set(saved) ^ set(own), key=str):
        raise ValueError(f"{strange[0]} is missing or extra among the weights; the network is another one")
    for name, value in own.items():
        found = saved[name]
        if not isinstance(found, Tensor):
            raise ValueError(f"{name} is a {type(found).__name__}; wanted a tensor")
        kinds = [(one.is_floating_point(), one.is_complex()) for one in (found, value)]
        if found.shape != value.shape or kinds[0] != kinds[1]:
            raise ValueError(f"{name} is {found.dtype} {list(found.shape)}; wanted {value.dtype} {list(value.shape)}")
        if not is_finite(found):
            raise ValueError(f"{name} holds values that are not finite")


def check_optimizers(optimizers: list[torch.optim.Optimizer], step: int) -> None:
    """What optimizers remember at `step` has the shapes of their parameters, and is finite.

    Raises:
        ValueError: It has not, or a setting is no number.
    """
    for optimizer in optimizers:
        wrong = [message for group in optimizer.param_groups for message in _wrong_settings(group)]
        wrong += ["it lacks the means of its gradients"] * _lacks_means(optimizer, step)
        wrong += [message for p, state in optimizer.state.items() for message in _wrong_state(p, state)]
        if wrong:
            raise ValueError(f"checkpoint with an optimizer that cannot go on: {wrong[0]}; {_REMEDY}")


def _lacks_means(optimizer: torch.optim.Optimizer, step: int) -> bool:
    """Whether something is missing that an optimizer of ours needs; what never had a gradient is not remembered."""
    if not isinstance(optimizer, (torch.optim.Adam, Muon)):  # AdamW is an Adam
        return False
    if step > 0 and not optimizer.state:
        return True
    for group in optimizer.param_groups:
        wanted = optimizer.remembered(group) if isinstance(optimizer, Muon) else _ADAM
        if any(not set(optimizer.state[p]) >= wanted for p in group["params"] if p in optimizer.state):
            return True
    return False


def _wrong_settings(group: dict[str, Any]) -> Iterator[str]:
    for name in ("lr", "initial_lr", "weight_decay", "eps", "momentum"):
        if not _is_number(group.get(name, 0.0)):
            yield f"its {name} is no number"
    betas = group.get("betas", (0.0, 0.0))
    if not isinstance(betas, (tuple, list)) or len(betas) != 2 or not all(_is_number(beta) for beta in betas):
        yield "its betas are not two numbers"


def _wrong_state(parameter: Tensor, state: dict[str, Any]) -> Iterator[str]:
    for name, value in state.items():
        if isinstance(value, Tensor) and not is_finite(value):
            yield f"its {name} is not finite"
        if name in LIKE_PARAMETERS and value is not None and getattr(value, "shape", None) != parameter.shape:
            yield f"its {name} is not {list(parameter.shape)}"
        if name == "step" and not _is_number(value):
            yield "its step is no number"


def _check_parts(checkpoint: dict[str, Any]) -> None:
    for name, kind in _WANTED.items():
        if not isinstance(checkpoint.get(name), kind):
            raise ValueError(f"{name} is {type(checkpoint.get(name)).__name__}; wanted {kind.__name__}")
    if not (0 <= checkpoint["global_step"] and 0 <= checkpoint["epoch"]):
        raise ValueError("it stands before the first step")
    Version(checkpoint["pytorch-lightning_version"])
    if not checkpoint["optimizer_states"]:
        raise ValueError("it remembers no optimizer")
    _check_progress(checkpoint["loops"], inside=False)
    _check_schedulers(checkpoint["lr_schedulers"])
    _check_random_state(checkpoint["random_state"])


def _check_progress(loops: Mapping[str, Any], inside: bool) -> None:
    """Progress is counted in whole numbers."""
    for name, value in loops.items():
        counts = inside or str(name).endswith("progress")
        if isinstance(value, dict):
            _check_progress(value, counts)
        elif counts and not (isinstance(value, int) and value >= 0):
            raise ValueError(f"the progress {name} is {value!r}; wanted a count")


def _check_schedulers(schedulers: list[Any]) -> None:
    for state in schedulers:
        if not isinstance(state, dict) or not isinstance(state.get("last_epoch"), int) or state["last_epoch"] < 0:
            raise ValueError("a schedule that does not say where it stands")
        if shadowed := [name for name in state if callable(getattr(torch.optim.lr_scheduler.LambdaLR, str(name), None))]:
            raise ValueError(f"a schedule with a value in the place of {shadowed[0]}")
        rates = [rate for name in ("base_lrs", "_last_lr") for rate in state.get(name, [])]
        if not all(_is_number(rate) for rate in rates):
            raise ValueError("a schedule with a learning rate that is no number")


def _check_random_state(state: dict[str, Any]) -> None:
    ranks = state.get("ranks", [])
    if not isinstance(ranks, list):
        raise ValueError(f"the random generators of the processes are {type(ranks).__name__}; wanted a list")
    for each in (state, *ranks):
        if not isinstance(each["cuda"], list) or not all(isinstance(one, Tensor) for one in (each["cpu"], *each["cuda"])):
            raise ValueError("the state of the random generators is no tensor")
        try:
            torch.Generator().set_state(each["cpu"].cpu())
        except RuntimeError as error:
            raise ValueError(f"the state of the random generator is none ({str(error).splitlines()[0]})") from error


def _is_number(value: object) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1 and value.is_floating_point() and is_finite(value)
    return isinstance(value, (int, float)) and abs(value) < float("inf")
