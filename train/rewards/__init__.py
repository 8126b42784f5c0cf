"""Rewards: what clips are worth, and the post-training of a video LM by them."""

from .acting import ActionReward
from .collapse import PolicyCollapse
from .data import RewardDataModule
from .keeping import IdentityReward, PersistenceReward
from .module import LitReward
from .reward import MadeClips, Reward, RewardError, WeightedReward, judged
from .scene import SceneReward
from .truth import LikenessReward

__all__ = [
    "ActionReward",
    "IdentityReward",
    "LikenessReward",
    "LitReward",
    "MadeClips",
    "PersistenceReward",
    "PolicyCollapse",
    "Reward",
    "RewardDataModule",
    "RewardError",
    "SceneReward",
    "WeightedReward",
    "judged",
]
