"""The random generators of a training: kept in checkpoints, of every process its own."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_warn

RandomState = dict[str, Any]
"""The states of the generators of one process: `cpu`, and `cuda` of all its devices."""


def random_state(trainer: L.Trainer) -> RandomState:
    """The state of the generators, with those of all processes as `ranks`; all of them must call this."""
    own: RandomState = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}
    if trainer.world_size == 1:
        return own
    ranks: list[RandomState] = [{} for _ in range(trainer.world_size)]
    torch.distributed.all_gather_object(ranks, own)
    return {**ranks[0], "ranks": ranks}


def begin_apart(trainer: L.Trainer) -> None:
    """Several processes begin with one seed; from now on each draws by itself, or they would all draw the same noise."""
    if trainer.world_size > 1:
        _draw_apart(torch.initial_seed(), trainer.global_rank)


def restore(state: RandomState, trainer: L.Trainer) -> None:
    """The generators go on where a checkpoint left them.

    If it was made by another number of processes, clips come in the same order, and what else is drawn is new; this is said.
    """
    ranks = state.get("ranks", [state])
    if len(ranks) == trainer.world_size:
        _set(ranks[trainer.global_rank])
        return
    rank_zero_warn(
        f"the checkpoint is of {len(ranks)} processes, and there are {trainer.world_size}: the clips of each step are those that "
        "would have come, and dropout and noise are drawn anew"
    )
    _set(ranks[0])
    _draw_apart(int(torch.randint(2**31, ())), trainer.global_rank)


def _set(state: RandomState) -> None:
    torch.set_rng_state(state["cpu"].cpu())
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([each.cpu() for each in state["cuda"]])


def _draw_apart(seed: int, rank: int) -> None:
    torch.manual_seed((seed + 1_000_003 * rank) % 2**63)
