"""Two processes that talk to each other, for tests, and the work that they do."""

import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from framecast.tokenizer import VQ, Quantizer, ResidualVQ, share_codebooks
from framecast.train.randomness import begin_apart, random_state, restore

NUM_CODES, DIM = 6, 4
_MADE: dict[str, Callable[[], Quantizer]] = {
    "VQ": lambda: VQ(NUM_CODES, DIM, cosine=False, revive_below=0.0),
    "ResidualVQ": lambda: ResidualVQ(NUM_CODES, 2, DIM, revive_below=0.0),
}


def in_two(work: Callable[[int], Any]) -> list[Any]:
    """What a function of this module gives in each of two processes, of gloo; it is given its rank."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_run, (work, folder), nprocs=2)
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=True) for rank in range(2)]


def _run(rank: int, work: Callable[[int], Any], folder: str) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", timedelta(seconds=60), 2, rank)
    torch.save(work(rank), Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def latents() -> Tensor:
    """float32 `[8, 1, 2, 2, DIM]`, of two halves that differ."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 1, 2, 2, DIM, generator=generator) + torch.arange(8.0).view(8, 1, 1, 1, 1) / 4


def quantizer(kind: str) -> Quantizer:
    """Made before processes meet, as in a training; with codes that are set, so that none are drawn from what is seen first."""
    torch.manual_seed(1)
    with patch.object(torch.distributed, "is_initialized", return_value=False):
        made = _MADE[kind]()
    state = made.state_dict()
    for name, value in state.items():
        if name.endswith("initted"):
            value.fill_(True)
        elif name.endswith("embed_avg"):
            value.copy_(torch.randn(value.shape))
            state[name.removesuffix("_avg")].copy_(value)
    return made.train()


def learned(kind: str, own: Tensor, shared: bool) -> dict[str, Tensor]:
    """The codebooks after some steps on some latents."""
    made = quantizer(kind)
    if shared:
        share_codebooks(made)
    for _ in range(3):
        made(own)
    return {name: value.clone() for name, value in made.state_dict().items()}


def codebooks(rank: int) -> dict[str, Any]:
    """Of each kind, what is learned of a half, apart and shared; and shared codebooks that are begun and revived."""
    half = latents().chunk(2)[rank]
    found = {(kind, shared): learned(kind, half, shared) for kind in ("VQ", "ResidualVQ") for shared in (False, True)}
    torch.manual_seed(rank)
    with patch.object(torch.distributed, "is_initialized", return_value=False):
        fresh = VQ(NUM_CODES, DIM, revive_below=2.0).train()
    share_codebooks(fresh)
    for _ in range(3):
        fresh(half)
    return {f"{kind} {'shared' if shared else 'apart'}": value for (kind, shared), value in found.items()} | {
        "fresh": {name: value.clone() for name, value in fresh.state_dict().items()}
    }


def randomness(rank: int) -> dict[str, Any]:
    """What two processes draw, begun apart, kept and restored; and restored from the checkpoint of one process."""
    trainer: Any = SimpleNamespace(world_size=2, global_rank=rank)
    torch.manual_seed(7)
    alone = random_state(SimpleNamespace(world_size=1, global_rank=0))  # type: ignore[arg-type]
    same = torch.rand(3)
    torch.manual_seed(7)
    begin_apart(trainer)
    first = torch.rand(3)
    kept = random_state(trainer)
    later = torch.rand(3)
    torch.manual_seed(0)
    restore(kept, trainer)
    again = torch.rand(3)
    restore(alone, trainer)
    return {"same": same, "first": first, "later": later, "again": again, "from one": torch.rand(3), "kept": kept}
