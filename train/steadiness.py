"""Tokens that stay as they are if a picture does: a camera's noise should not change them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..evaluate.steadiness import LEVELS
from ..tokenizer import Quantized, VideoTokenizer


@dataclass(frozen=True)
class Steadiness:
    """Clips are seen through noise, are to be shown without it, and are to have the tokens that they have without it.

    A video LM has to learn every token that noise changes, and nothing can foretell those.
    """

    weight: float = 0.0
    """Weight of the mean squared distance between the latents of tokens with and without noise; 0 turns it off."""
    noise: float = 4.0
    """Largest standard deviation of the noise, in levels of 0 to 255; each clip draws its own, uniformly."""

    def __post_init__(self) -> None:
        if self.weight < 0 or not 0 < self.noise <= 64:
            raise ValueError(f"got {self}; wanted a weight of at least 0, and noise above 0 and up to 64 levels")

    def through_noise(self, video: Tensor) -> Tensor:
        """The video `[B, 3, T, H, W]` with noise that differs from pixel to pixel and from frame to frame, in [-1, 1]."""
        strength = self.noise / LEVELS * torch.rand(len(video), 1, 1, 1, 1, device=video.device)
        return (video + strength * torch.randn_like(video)).clamp(-1, 1)

    def loss(self, noisy: Quantized, tokenizer: VideoTokenizer, video: Tensor) -> Tensor:
        """How far the latents of a clip that was seen through noise are from those of the clip itself, scalar."""
        quantizer, training = tokenizer.quantizer, tokenizer.quantizer.training
        quantizer.eval()  # a codebook learns once from a step
        with torch.no_grad():
            latents = quantizer.tokens_to_latents(tokenizer.encode(video))
        quantizer.train(training)
        return F.mse_loss(noisy.latents.float(), latents.float())
