"""Training: `framecast train`, Lightning modules, losses, callbacks and the shipped configurations."""

from ..data.module import ClipDataModule
from .checkpoints import AtomicCheckpointIO, Checkpointing
from .ema import EMA
from .export import ExportBundle
from .health import CodebookCollapse, CodebookGuard
from .losses import ReconstructionLoss
from .module import TrainingModule
from .optim import AdamWConfig
from .pictures import Reconstructions
from .throughput import Throughput
from .tokenizer_module import LitVideoTokenizer

__all__ = [
    "EMA",
    "AdamWConfig",
    "AtomicCheckpointIO",
    "Checkpointing",
    "ClipDataModule",
    "CodebookCollapse",
    "CodebookGuard",
    "ExportBundle",
    "LitVideoTokenizer",
    "ReconstructionLoss",
    "Reconstructions",
    "Throughput",
    "TrainingModule",
]
