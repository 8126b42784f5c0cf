"""What is compared: each arm is one frozen `Arm`, which says what differs from the base."""

from typing import Any

from framecast.train import AdamWConfig
from framecast.train.muon import MuonConfig

from .networks import Capped, FullTable, PreviousPlace, ReluSquared
from .objectives import Ahead, Nearby, Recovering, ShortFirst, SmallFirst
from .training import WARMUP, Arm

SKIP = {"embedding_skip": True}


def plain_muon(rate: float = 0.04, **changes: Any) -> dict[str, Any]:
    """The arguments of a training with Muon, whose steps have rows as long as they come."""
    return {"muon": MuonConfig(rate, **changes)}


def muon(rate: float = 0.04, **changes: Any) -> dict[str, Any]:
    """The same, with rows equally long."""
    return plain_muon(rate, row_scaling=True, **changes)


def adam(rate: float) -> dict[str, Any]:
    """Another learning rate for embeddings, heads and vectors."""
    return {"optimizer": AdamWConfig(rate, warmup_steps=WARMUP)}


def weighed(share: float) -> dict[str, Any]:
    """A second loss with such a weight."""
    return {"outcome_weight": share}


BASES = {
    "base": Arm(),
    "base, 0.6 of the steps": Arm(share=0.6),
    "base, 1.6 times the steps": Arm(share=1.6),
}
"""The recipe that the others differ from, and two lengths of it to compare at equal time."""

MUONS = {
    "Muon": Arm(training=plain_muon()),
    "Muon, weight decay 0.05": Arm(training=plain_muon(weight_decay=0.05)),
    "the same, rate 0.02": Arm(training=plain_muon(0.02, weight_decay=0.05)),
    "the same, rate 0.08": Arm(training=plain_muon(0.08, weight_decay=0.05)),
    "the same, no warm-up of the momentum": Arm(training=plain_muon(weight_decay=0.05, momentum_warmup_steps=0)),
    "the same, 20 clips a step, half the steps": Arm(training=plain_muon(weight_decay=0.05), share=0.5, batch_size=20),
}
"""The optimizer by itself, and its settings."""

BOTH = {"embedding_skip": True, "value_embeddings": True}
LADDER = {
    "Muon, skip": Arm(SKIP, plain_muon()),
    "Muon, skip, value embeddings": Arm(BOTH, plain_muon()),
    "Muon, skip, equal rows": Arm(SKIP, muon()),
    "Muon, skip, a vector for each whole token": Arm(SKIP, plain_muon(), network=FullTable),
    "all": Arm(BOTH, muon()),
    "all, half of the steps": Arm(BOTH, muon(), share=0.5),
}
"""What pays, one on top of the other."""

ON_TOP = {
    "all, a vector for each whole token": Arm(BOTH, muon(), network=FullTable),
    "all, AdamW at 8e-3": Arm(BOTH, muon() | adam(8e-3)),
    "all, AdamW at 2e-3": Arm(BOTH, muon() | adam(2e-3)),
    "all, latents recovered and foreseen": Arm(BOTH, muon() | weighed(0.3), kind=Recovering),
    "all, short clips first": Arm(BOTH, muon(), kind=ShortFirst),
    "all, same place in the latent frame before": Arm(BOTH, muon(), network=PreviousPlace),
    "all, a block ahead": Arm(BOTH, muon() | weighed(0.3), kind=Ahead),
    "all, small batches first": Arm(BOTH, muon(), kind=SmallFirst, batch_size=15),
    "all, weight decay 0.4": Arm(BOTH, muon(weight_decay=0.4)),
    "all, targets near by": Arm(BOTH, muon(), kind=Nearby),
    "all, average of 0.99": Arm(BOTH, muon(), decay=0.99),
    "all, no average": Arm(BOTH, muon(), decay=0.0),
    "all, ReLU^2": Arm(BOTH, muon(), network=ReluSquared),
    "all, softcap 20": Arm(BOTH, muon(), network=Capped),
    "all, 2 layers of 256": Arm(BOTH | {"width": 256, "num_heads": 4, "num_layers": 2, "mlp_width": 640}, muon()),
    "all, 3 layers of 256": Arm(BOTH | {"width": 256, "num_heads": 4, "num_layers": 3, "mlp_width": 640}, muon()),
    "all, prompt in every layer": Arm(BOTH | {"cross_every": 1}, muon()),
}
"""What was tried on top of all that."""

ARMS = {
    **BASES,
    "embedding skip": Arm(SKIP),
    **MUONS,
    **LADDER,
    **ON_TOP,
}
"""By the name that the table has."""
