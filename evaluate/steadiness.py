"""How steady tokens are: whether a still scene repeats them, though its camera has noise."""

import torch
from torch import Tensor

from ..tokenizer import VideoTokenizer

LEVELS = 127.5  # to a unit of a video in [-1, 1]


def steady_share(
    tokenizer: VideoTokenizer, picture: Tensor, noise: float = 2.0, num_latent_frames: int = 12, seed: int = 0
) -> Tensor:
    """How many tokens of a still scene with a camera's noise are as in the latent frame before, float32 `[B]`.

    Args:
        tokenizer: In eval mode.
        picture: `[B, 3, H, W]` in [-1, 1].
        noise: Standard deviation of the noise of each pixel and frame, in levels of 0 to 255.
        num_latent_frames: Length of the scene. Its last third counts: an encoder that is not local sees the beginning for long.
        seed: Of the noise.
    """
    frames = tokenizer.num_frames(num_latent_frames)
    scene = picture[:, :, None].expand(-1, -1, frames, -1, -1)
    generator = torch.Generator().manual_seed(seed)
    noisy = scene + noise / LEVELS * torch.randn(scene.shape, generator=generator).to(scene)
    with torch.no_grad():
        tokens = tokenizer.encode(noisy.clamp(-1, 1))
    repeats = tokens[:, 1:] == tokens[:, :-1]
    return repeats[:, -(num_latent_frames // 3) :].float().mean(dim=(1, 2, 3))
