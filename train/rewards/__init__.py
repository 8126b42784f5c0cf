"""Rewards: what clips are worth, and the post-training of a video LM by them."""

from .collapse import PolicyCollapse
from .data import RewardDataModule
from .module import LitReward
from .reward import MadeClips, Reward, RewardError, WeightedReward, judged
from .scene import SceneReward
from .truth import LikenessReward

__all__ = [
    "LikenessReward",
    "LitReward",
    "MadeClips",
    "PolicyCollapse",
    "Reward",
    "RewardDataModule",
    "RewardError",
    "SceneReward",
    "WeightedReward",
    "judged",
]
