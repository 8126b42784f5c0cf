from .checkpointing import Checkpointing
from .checkpoints import AtomicCheckpointIO
from .clip_data import ClipDataModule
from .ema import EMA
from .export import ExportBundle
from .guidance import LitGuidance
from .health import CodebookCollapse, CodebookGuard
from .lm_module import BlockWeights, LitVideoLM
from .losses import ReconstructionLoss
from .module import TrainingModule
from .muon import MuonConfig
from .optim import AdamWConfig
from .pictures import Reconstructions
from .rewards import (
    ActionReward,
    IdentityReward,
    LikenessReward,
    LitReward,
    MadeClips,
    PersistenceReward,
    Reward,
    RewardDataModule,
    RewardError,
    SceneReward,
    WeightedReward,
)
from .samples import Samples
from .sharding.strategy import Sharded
from .throughput import Throughput
from .token_data import TokenDataModule
from .tokenizer_module import LitVideoTokenizer

__all__ = [
    "EMA",
    "ActionReward",
    "AdamWConfig",
    "AtomicCheckpointIO",
    "BlockWeights",
    "Checkpointing",
    "ClipDataModule",
    "CodebookCollapse",
    "CodebookGuard",
    "ExportBundle",
    "IdentityReward",
    "LikenessReward",
    "LitGuidance",
    "LitReward",
    "LitVideoLM",
    "LitVideoTokenizer",
    "MadeClips",
    "MuonConfig",
    "PersistenceReward",
    "ReconstructionLoss",
    "Reconstructions",
    "Reward",
    "RewardDataModule",
    "RewardError",
    "Samples",
    "SceneReward",
    "Sharded",
    "Throughput",
    "TokenDataModule",
    "TrainingModule",
    "WeightedReward",
]
