"""What is compared: each arm is one frozen `Arm`, which says what differs from the base."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from framecast.model import VideoLM, VideoLMConfig
from framecast.train import AdamWConfig
from framecast.train.muon import MuonConfig

from .networks import Capped, FullTable, PreviousPlace, ReluSquared
from .objectives import Ahead, Nearby, Recovering, ShortFirst, SmallFirst
from .training import WARMUP, ArmTraining

Network = Callable[[VideoLMConfig], VideoLM]


@dataclass(frozen=True)
class Arm:
    """A recipe for the video LM of the speedrun."""

    lm: dict[str, Any] = field(default_factory=dict)
    """What differs in the shape of the network."""
    training: dict[str, Any] = field(default_factory=dict)
    """What differs in the arguments of the training."""
    network: Network = VideoLM
    """What is built of that shape."""
    kind: type[ArmTraining] = ArmTraining
    """What is minimised."""
    share: float = 1.0
    """Steps, as a share of the base's."""
    decay: float = 0.995
    """Of the average of the weights."""
    batch_size: int = 10
    """Clips of a step."""


SKIP = {"embedding_skip": True}


def muon(rate: float = 0.04, **changes: Any) -> dict[str, Any]:
    """The arguments of a training with Muon."""
    return {"muon": MuonConfig(rate, **changes)}


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
    "Muon": Arm(training=muon()),
    "Muon, weight decay 0.05": Arm(training=muon(weight_decay=0.05)),
    "the same, rate 0.02": Arm(training=muon(0.02, weight_decay=0.05)),
    "the same, rate 0.08": Arm(training=muon(0.08, weight_decay=0.05)),
    "the same, no warm-up of the momentum": Arm(training=muon(weight_decay=0.05, momentum_warmup_steps=0)),
    "the same, 20 clips a step, half the steps": Arm(training=muon(weight_decay=0.05), share=0.5, batch_size=20),
}
"""The optimizer by itself, and its settings."""

BOTH = {"embedding_skip": True, "value_embeddings": True}
LADDER = {
    "Muon, skip": Arm(SKIP, muon()),
    "Muon, skip, value embeddings": Arm(BOTH, muon()),
    "Muon, skip, equal rows": Arm(SKIP, muon(row_scaling=True)),
    "Muon, skip, a vector for each whole token": Arm(SKIP, muon(), network=FullTable),
    "all": Arm(BOTH, muon(row_scaling=True)),
}
"""What pays, one on top of the other."""

ROWS = muon(row_scaling=True)
ON_TOP = {
    "all, a vector for each whole token": Arm(BOTH, ROWS, network=FullTable),
    "all, AdamW at 8e-3": Arm(BOTH, ROWS | adam(8e-3)),
    "all, AdamW at 2e-3": Arm(BOTH, ROWS | adam(2e-3)),
    "all, latents recovered and foreseen": Arm(BOTH, ROWS | weighed(0.3), kind=Recovering),
    "all, short clips first": Arm(BOTH, ROWS, kind=ShortFirst),
    "all, same place in the latent frame before": Arm(BOTH, ROWS, network=PreviousPlace),
    "all, a block ahead": Arm(BOTH, ROWS | weighed(0.3), kind=Ahead),
    "all, small batches first": Arm(BOTH, ROWS, kind=SmallFirst, batch_size=15),
    "all, weight decay 0.4": Arm(BOTH, muon(row_scaling=True, weight_decay=0.4)),
    "all, targets near by": Arm(BOTH, ROWS, kind=Nearby),
    "all, average of 0.99": Arm(BOTH, ROWS, decay=0.99),
    "all, no average": Arm(BOTH, ROWS, decay=0.0),
    "all, ReLU^2": Arm(BOTH, ROWS, network=ReluSquared),
    "all, softcap 20": Arm(BOTH, ROWS, network=Capped),
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
