"""Detokenizing beside the decoder of Wan 2.1's VAE: P6."""

from collections.abc import Iterator

import torch

from framecast.sample.kernels import prepared
from framecast.tokenizer import FSQ, VideoTokenizer, VideoTokenizerConfig

from .timing import Contest, Work, dtypes_of, name_of

LATENT_FRAMES, SIZE = 9, 64


def contests(device: torch.device) -> Iterator[Contest]:
    """Random weights; 33 frames of 64x64 from 9 latent frames, strides 4 and 8 on both sides."""
    for dtype in dtypes_of(device):
        tokenizer = VideoTokenizer(VideoTokenizerConfig(), FSQ()).eval().to(device, dtype)
        tokenizer = prepared(tokenizer)
        yield Contest(
            f"detokenize, {name_of(dtype)}, channels {tokenizer.config.channels}",
            detokenize(tokenizer),
            tokenizer.num_frames(LATENT_FRAMES),
            "frame",
            wan(dtype, device, tokenizer.config.channels),
            "diffusers Wan 2.1 VAE",
            ">= 2 (P6)",
            dtype,
        )


def detokenize(tokenizer: VideoTokenizer) -> Work:
    """Tokens to pixels, all at once."""
    device = next(tokenizer.parameters()).device
    tokens = torch.randint(tokenizer.codebook_size, (1, LATENT_FRAMES, *tokenizer.frame_shape(SIZE, SIZE)), device=device)
    return torch.inference_mode()(lambda: tokenizer.decode(tokens))


def wan(dtype: torch.dtype, device: torch.device, channels: tuple[int, ...]) -> Work | None:
    """The peer with its usual blocks, with as many channels at the finest and the coarsest of its four resolutions."""
    try:
        from diffusers import AutoencoderKLWan
    except ImportError:
        return None
    first, last = channels[0], channels[-1]
    vae = AutoencoderKLWan(base_dim=first, dim_mult=[1, 1, last // first, last // first]).eval().to(device, dtype)
    latents = torch.randn(1, vae.config.z_dim, LATENT_FRAMES, SIZE // 8, SIZE // 8, device=device, dtype=dtype)
    return torch.inference_mode()(lambda: vae.decode(latents))
