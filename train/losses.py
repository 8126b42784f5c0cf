"""What a reconstruction is worth: pixels, structure over several scales, an optional perceptual distance."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor


@dataclass(frozen=True)
class ReconstructionLoss:
    """Weights of the terms of the reconstruction loss, on pixels in [-1, 1]."""

    l1: float = 1.0
    """Mean absolute error of the pixels."""
    l2: float = 1.0
    """Mean squared error of the pixels; what PSNR measures."""
    structure: float = 0.5
    """Mean absolute error of brightness differences between neighbours, at full, half and quarter resolution."""

    def __call__(self, video: Tensor, target: Tensor) -> Tensor:
        """The weighted sum for two videos `[B, C, T, H, W]`, a scalar."""
        video, target = video.float(), target.float()
        loss = video.new_zeros(())
        if self.l1:
            loss = loss + self.l1 * F.l1_loss(video, target)
        if self.l2:
            loss = loss + self.l2 * F.mse_loss(video, target)
        return loss + self.structure * structure_error(video - target) if self.structure else loss


def structure_error(error: Tensor, num_scales: int = 3) -> Tensor:
    """How far edges are off, at several scales: the mean gradient of the error, in rows, columns and time.

    The terms are linear before their absolute value, so the error of the differences is the difference of the errors.

    Args:
        error: `[B, C, T, H, W]`, reconstruction minus target.
        num_scales: Full resolution, then halved so often in rows and columns.
    """
    total = error.new_zeros(())
    images = rearrange(error, "b c t h w -> b (c t) h w")
    for scale in range(num_scales):
        if scale:
            images = F.avg_pool2d(images, 2)
        total = total + images.diff(dim=-1).abs().mean() + images.diff(dim=-2).abs().mean()
    return total / (2 * num_scales) + _mean_abs_diff_over_time(error)


def _mean_abs_diff_over_time(error: Tensor) -> Tensor:
    if error.shape[2] < 2:
        return error.new_zeros(())
    return error.diff(dim=2).abs().mean() / 2


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss on its scores (Lim & Ye 2017)."""
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def adaptive_weight(loss: Tensor, adversarial: Tensor, last_layer: Tensor) -> Tensor:
    """The weight at which both losses pull equally at the decoder's last layer (VQGAN, Esser et al. 2021)."""
    (pull,) = torch.autograd.grad(loss, last_layer, retain_graph=True)
    (adversarial_pull,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (pull.norm() / (adversarial_pull.norm() + 1e-4)).clamp(max=1e4).detach()
