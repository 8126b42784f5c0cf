"""`LikenessReward`: how near clips come to the true ones."""

import torch
from torch import Tensor

from .reward import MadeClips, Reward

_CEILING = 50.0  # dB, of equal clips


class LikenessReward(Reward):
    """PSNR of what was made after the given frames against what truly followed, in dB, at most 50.

    It wants given frames, or actions: a prompt alone leaves open where things are.

    Args:
        frames: How many frames after the given ones count; None takes all.

    Raises:
        ValueError: That is less than 1.
    """

    def __init__(self, frames: int | None = None):
        if frames is not None and frames < 1:
            raise ValueError(f"got frames {frames}; wanted at least 1, or null for all")
        self.frames = frames

    def judge(self, clips: MadeClips) -> Tensor:
        end = None if self.frames is None else clips.given + self.frames
        made, true = (frames[:, clips.given : end].float() for frames in (clips.frames, clips.true))
        error = (made - true).square().flatten(1).mean(dim=1)
        psnr: Tensor = 10 * torch.log10(255**2 / error.clamp(min=1e-9))
        return psnr.clamp(max=_CEILING)
