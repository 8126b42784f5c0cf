"""The transformer's parts: norms, attention with grouped queries, SwiGLU."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..machine import trains_on_cpu
from . import cpu

See = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
"""New queries, keys and values `[B, N, S, D]` -> those to attend with: rotated, and with what the cache holds."""
GATE_WIDTH = 16
"""Channels of a layer's input that the gate of its value embedding reads."""


class RMSNorm(nn.Module):
    """Root mean square norm over the last dimension (Zhang and Sennrich 2019)."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype)  # under autocast the fused kernel wants weight and input alike
        epsilon = torch.finfo(torch.promote_types(x.dtype, torch.float32)).eps
        if trains_on_cpu(x):
            return cpu.rms_norm(x, weight, epsilon)
        return F.rms_norm(x, weight.shape, weight, epsilon)


class FusedLinear(nn.Linear):
    """Several maps of one input in one product, without bias.

    Args:
        width: Width of the input.
        sizes: Widths of the outputs, which follow each other.
    """

    def __init__(self, width: int, sizes: Sequence[int]):
        super().__init__(width, sum(sizes), bias=False)
        self.sizes = tuple(sizes)


class SwiGLU(nn.Module):
    """Gated feed-forward layer (Shazeer 2020), gate and value in one product. `[..., E]` -> `[..., E]`."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up = FusedLinear(width, (hidden, hidden))
        self.down = zero_linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.up(x).chunk(2, dim=-1)
        y: Tensor = self.down(F.silu(gate) * value)
        return y


class ValueEmbedding(nn.Module):
    """A vector of the input token itself for the values of attention, through a gate of each head (Zhou et al. 2024).

    So a layer need not carry what its input token is through all layers before it.
    """

    def __init__(self, num_inputs: int, num_kv_heads: int, head_dim: int):
        super().__init__()
        self.table = nn.Embedding(num_inputs, num_kv_heads * head_dim)
        self.gate = nn.Parameter(torch.zeros(num_kv_heads, GATE_WIDTH))

    def forward(self, x: Tensor, inputs: Tensor) -> Tensor:
        """What is added to the values `[B, N, S, D]`, for `x` `[B, S, E]` and its input tokens `[B, S]`."""
        gate = 2 * torch.sigmoid(F.linear(x[..., :GATE_WIDTH], self.gate))
        heads = self.table(inputs).to(x.dtype).unflatten(-1, (gate.shape[-1], -1))
        y: Tensor = rearrange(gate.unsqueeze(-1) * heads, "b s n d -> b n s d")
        return y


class SelfAttention(nn.Module):
    """Attention with normed queries and keys (Henry et al. 2020) and grouped queries (Ainslie et al. 2023).

    What a token may see, and where keys are kept, is the caller's `see`. `num_inputs` gives the values embeddings of so many
    input tokens.
    """

    def __init__(self, width: int, num_heads: int, num_kv_heads: int, num_inputs: int | None = None):
        super().__init__()
        self.heads = (num_heads, num_kv_heads, num_kv_heads)
        self.head_dim = width // num_heads
        self.qkv = FusedLinear(width, [number * self.head_dim for number in self.heads])
        self.query_norm, self.key_norm = RMSNorm(self.head_dim), RMSNorm(self.head_dim)
        self.out = zero_linear(width, width)
        self.value_embedding = None if num_inputs is None else ValueEmbedding(num_inputs, num_kv_heads, self.head_dim)

    def forward(self, x: Tensor, see: See, mask: Tensor | None, inputs: Tensor | None = None) -> Tensor:
        heads = rearrange(self.qkv(x), "b s (n d) -> b n s d", d=self.head_dim)
        queries, keys, values = heads.split(self.heads, dim=1)
        if self.value_embedding is not None:
            values = values + self.value_embedding(x, inputs)
        queries, keys, values = see(self.query_norm(queries), self.key_norm(keys), values)
        seen = attend(queries, keys, values, mask).to(x.dtype)
        y: Tensor = self.out(rearrange(seen, "b n s d -> b s (n d)"))
        return y


class CrossAttention(nn.Module):
    """Attention from video tokens to a prompt's memory: its keys and values, which are computed once."""

    def __init__(self, width: int, num_heads: int, num_kv_heads: int):
        super().__init__()
        self.head_dim = width // num_heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = FusedLinear(width, [num_kv_heads * self.head_dim] * 2)
        self.query_norm, self.key_norm = RMSNorm(self.head_dim), RMSNorm(self.head_dim)
        self.out = zero_linear(width, width)

    def project(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values `[B, N_kv, L, D]` of an encoded text `[B, L, E]`."""
        keys, values = rearrange(self.key_value(text), "b l (two n d) -> two b n l d", two=2, d=self.head_dim)
        return self.key_norm(keys), values

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        queries = self.query_norm(rearrange(self.query(x), "b s (n d) -> b n s d", d=self.head_dim))
        y: Tensor = self.out(rearrange(attend(queries, keys, values, mask), "b n s d -> b s (n d)"))
        return y


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention; fewer key heads than query heads are shared. `[B, N, S, D]` each."""
    keys, values = keys.to(queries.dtype), values.to(queries.dtype)
    if cpu.takes_products(queries, keys):
        return cpu.attend_by_products(queries, keys, values, mask)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=True)


def zero_linear(in_width: int, out_width: int) -> nn.Linear:
    """A map without bias that starts as zero, so that a residual branch starts as the identity."""
    linear = nn.Linear(in_width, out_width, bias=False)
    nn.init.zeros_(linear.weight)
    return linear
