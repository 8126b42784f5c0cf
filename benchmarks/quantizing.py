"""Quantizing beside vector-quantize-pytorch called directly: P7."""

from collections.abc import Iterator

import torch
import vector_quantize_pytorch as vq
from torch import nn

from framecast.tokenizer import FSQ, VQ, Quantizer

from .timing import Contest, Work

PLACES = 16_384
"""Latents of 32 clips of 17 frames with 8x8 tokens, and some more."""


def contests(device: torch.device) -> Iterator[Contest]:
    """Latents to tokens and quantized latents, in inference."""
    torch.manual_seed(0)
    fsq, many = FSQ(), VQ(codebook_size=8192, dim=8).to(device).eval()
    pairs: tuple[tuple[str, Quantizer, nn.Module], ...] = (
        ("FSQ (8, 5, 5, 5)", fsq.to(device).eval(), vq.FSQ(list((8, 5, 5, 5))).to(device).eval()),
        ("VQ, 8192 codes", many, many.codes),
    )
    for name, ours, peer in pairs:
        latents = torch.randn(1, PLACES, ours.dim, device=device)
        grid = latents.view(1, 4, 64, 64, ours.dim)
        yield Contest(
            f"quantize {PLACES} latents, {name}",
            call(ours, grid),
            PLACES,
            "latent",
            call(peer, latents),
            "vector-quantize-pytorch",
            ">= 1 (P7)",
        )


def call(quantizer: nn.Module, latents: torch.Tensor) -> Work:
    """One call without gradients."""
    return torch.inference_mode()(lambda: quantizer(latents))
