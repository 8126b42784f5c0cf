"""The recipes that are compared: each is one frozen `Arm`."""

from dataclasses import dataclass, replace

from framecast.tokenizer import VideoTokenizer
from framecast.train import ReconstructionLoss
from framecast.train.steadiness import Steadiness

from ..worlds.arms import Arm as Pair
from ..worlds.training import RECONSTRUCTION
from .networks import with_attention

_OFF = Steadiness()


@dataclass(frozen=True)
class Arm(Pair):
    """A tokenizer of real video and how it is trained; the video LM on its tokens is the same for all."""

    channels: tuple[int, ...] = (48, 96)
    stride: int = 4
    levels: tuple[int, ...] = (8, 5, 5, 5)
    loss: ReconstructionLoss = RECONSTRUCTION
    """What a reconstruction is worth."""
    chroma: float = 1.0
    """Weight of an error of colour over one of brightness."""
    steadiness: Steadiness = _OFF
    """Whether noise is not to change tokens."""
    attention: bool = False
    """Whether the decoder begins with attention within each latent frame."""

    def tokenizer(self) -> VideoTokenizer:
        tokenizer = super().tokenizer()
        return with_attention(tokenizer) if self.attention else tokenizer

    @property
    def trained_as(self) -> tuple[object, ...]:
        return (*super().trained_as, self.loss, self.chroma, self.steadiness, self.attention)


BASE = Arm()
STEADY = Steadiness(weight=1.0, noise=4.0)

ARMS = {
    "base": BASE,
    "64 codes": replace(BASE, levels=(4, 4, 4)),
    "256 codes": replace(BASE, levels=(8, 8, 4)),
    "4,096 codes": replace(BASE, levels=(8, 8, 8, 8)),
    "64,000 codes": replace(BASE, levels=(8, 8, 8, 5, 5, 5)),
    "4x16x16, 64,000 codes": replace(BASE, channels=(48, 96, 128), num_blocks=(1, 2, 2), levels=(8, 8, 8, 5, 5, 5)),
    "stride 2": replace(BASE, stride=2),
    "stride 8": replace(BASE, stride=8),
    "wider": replace(BASE, channels=(96, 192)),
    "more blocks": replace(BASE, num_blocks=(2, 6)),
    "encoder sees the past": replace(BASE, local=False),
    "steady": replace(BASE, steadiness=STEADY),
    "steady, encoder sees the past": replace(BASE, steadiness=STEADY, local=False),
    "steady, weight 4": replace(BASE, steadiness=replace(STEADY, weight=4.0)),
    "squared error alone": replace(BASE, loss=ReconstructionLoss(l1=0.0, l2=4.0, structure=0.0)),
    "colour counts a quarter": replace(BASE, chroma=0.25),
    "attention in the decoder": replace(BASE, attention=True),
}
"""By the name that the table has."""
