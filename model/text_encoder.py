"""The text encoder of the video LM: prompt ids to vectors that cross-attention reads."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..state import State
from .layers import RMSNorm, SelfAttention, SwiGLU


@dataclass
class PromptMemory(State):
    """Prompts, encoded and projected once, as the cross-attention layers read them.

    Attributes:
        keys: `[B, layers, N_kv, L, D]`.
        values: As `keys`.
        mask: bool `[B, F, L]`, which ids hold in which latent frame; what holds in the last one holds ever after.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor

    def with_room(self, length: int) -> "PromptMemory":
        """The same with room for so many text ids: padded with ids that never hold, or cut off."""
        missing = length - self.mask.shape[-1]
        keys, values = (F.pad(x, (0, 0, 0, missing)) for x in (self.keys, self.values))
        return PromptMemory(keys, values, F.pad(self.mask, (0, missing)))

    def frame_mask(self, frames: Tensor) -> Tensor:
        """The mask of some latent frames, int64 `[B or 1, n]`: `[B, n, L]`, or `[B, 1, L]` if one prompt holds throughout."""
        if self.mask.shape[1] == 1:
            return self.mask
        frames = frames.to(self.mask.device).clamp(max=self.mask.shape[1] - 1)
        return self.mask.gather(1, frames[..., None].expand(self.mask.shape[0], -1, self.mask.shape[2]))


class TextEncoder(nn.Module):
    """A small bidirectional transformer. Ids `[B, L]` -> `[B, L, out_width]`; padding is never seen.

    Args:
        vocab_size: Number of ids.
        width: Width of this encoder.
        num_layers: Number of layers.
        max_length: Ids of a prompt at most.
        out_width: Width of the video LM.
    """

    def __init__(self, vocab_size: int, width: int, num_layers: int, max_length: int, out_width: int):
        super().__init__()
        num_heads = max(1, width // 32)
        if width % num_heads:
            raise ValueError(f"got text_width {width}; wanted a multiple of {num_heads}, its heads; take a multiple of 32")
        self.words = nn.Embedding(vocab_size, width)
        self.places = nn.Embedding(max_length, width)
        self.layers = nn.ModuleList(TextLayer(width, num_heads) for _ in range(num_layers))
        self.norm = RMSNorm(width)
        self.out = nn.Linear(width, out_width, bias=False)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """`real` is bool `[B, L]`, false for padding."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, real[:, None, None, :])
        encoded: Tensor = self.out(self.norm(x))
        return encoded


class TextLayer(nn.Module):
    """Bidirectional attention and a gated feed-forward layer, both pre-normed and residual."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.attention_norm, self.attention = RMSNorm(width), SelfAttention(width, num_heads, num_heads)
        self.mlp_norm, self.mlp = RMSNorm(width), SwiGLU(width, 2 * width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), lambda *qkv: qkv, mask)
        y: Tensor = x + self.mlp(self.mlp_norm(x))
        return y


def timeline_mask(starts: Tensor, real: Tensor, num_frames: int) -> Tensor:
    """Which prompt's ids hold when.

    Args:
        starts: int64 `[B, P]`, the latent frame from which each prompt holds, ascending; unused places hold `num_frames` or more.
        real: bool `[B, P, L]`, false for padding.
        num_frames: F, the latent frames of the video.

    Returns:
        bool `[B, F, P * L]`: true for the ids of the one prompt that holds in a frame.
    """
    frames = torch.arange(num_frames, device=starts.device)
    begun = starts[:, None, :] <= frames[:, None]  # [B, F, P]
    current = begun.sum(dim=-1, keepdim=True) - 1
    holds = torch.arange(starts.shape[1], device=starts.device) == current
    return (holds[..., None] & real[:, None]).flatten(2)
