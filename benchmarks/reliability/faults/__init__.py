"""What goes wrong in the trainings that are tried; configurations name these classes, and `--allow` lets them."""

from .clips import DyingClips, HangingClips, InterruptedClips, OpeningClips, RaisingClips, WaitedForClips
from .notes import Names, Unchanged
from .saves import FailingSaves
from .signals import SignalAt
from .values import InfiniteLoss, SpoiltBatches, SpoiltGradient, SpoiltLatents, SpoiltLoss

__all__ = [
    "DyingClips",
    "FailingSaves",
    "HangingClips",
    "InfiniteLoss",
    "InterruptedClips",
    "Names",
    "OpeningClips",
    "RaisingClips",
    "SignalAt",
    "SpoiltBatches",
    "SpoiltGradient",
    "SpoiltLatents",
    "SpoiltLoss",
    "Unchanged",
    "WaitedForClips",
]
