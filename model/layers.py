"""The transformer's parts: norms, attention with grouped queries, SwiGLU."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

_MOST_SCORES = 2**20  # of one head and video; more would cost too much memory

See = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
"""New queries, keys and values `[B, N, S, D]` -> those to attend with: rotated, and with what the cache holds."""


class RMSNorm(nn.Module):
    """Root mean square norm over the last dimension (Zhang and Sennrich 2019)."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype)  # under autocast the fused kernel wants weight and input alike
        if torch.is_grad_enabled() and x.device.type == "cpu":
            return _FewPassRMSNorm.apply(x, weight)
        return rms_norm(x, weight)


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """`x` `[..., E]` over the root of its mean square, times `weight` `[E]`."""
    return F.rms_norm(x, weight.shape, weight, _epsilon(x))


class _FewPassRMSNorm(torch.autograd.Function):
    """`rms_norm` in few passes over the memory, which is what it costs on a CPU, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=_sum_dtype(x))
        inverse = norm.square().div(x.shape[-1]).add(_epsilon(x)).rsqrt().to(x.dtype)
        ctx.save_for_backward(x, weight, inverse)
        return (x * inverse).mul_(weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight, inverse = ctx.saved_tensors
        width = x.shape[-1]
        product = grad * x
        pull = (product @ weight).unsqueeze(-1) * inverse.pow(3) / -width
        grad_x = (grad * weight).mul_(inverse).addcmul_(x, pull)
        return grad_x, inverse.flatten() @ product.reshape(-1, width)


def _sum_dtype(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _epsilon(x: Tensor) -> float:
    return torch.finfo(_sum_dtype(x)).eps


class SwiGLU(nn.Module):
    """Gated feed-forward layer (Shazeer 2020), gate and value in one product. `[..., E]` -> `[..., E]`."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = zero_linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * value)


class SelfAttention(nn.Module):
    """Attention with normed queries and keys (Henry et al. 2020) and grouped queries (Ainslie et al. 2023).

    What a token may see, and where keys are kept, is the caller's `see`.
    """

    def __init__(self, width: int, num_heads: int, num_kv_heads: int):
        super().__init__()
        self.heads = (num_heads, num_kv_heads, num_kv_heads)
        self.head_dim = width // num_heads
        self.qkv = nn.Linear(width, sum(self.heads) * self.head_dim, bias=False)
        self.query_norm, self.key_norm = RMSNorm(self.head_dim), RMSNorm(self.head_dim)
        self.out = zero_linear(width, width)

    def forward(self, x: Tensor, see: See, mask: Tensor | None) -> Tensor:
        heads = rearrange(self.qkv(x), "b s (n d) -> b n s d", d=self.head_dim)
        queries, keys, values = heads.split(self.heads, dim=1)
        queries, keys, values = see(self.query_norm(queries), self.key_norm(keys), values)
        seen = attend(queries, keys, values, mask).to(x.dtype)
        return self.out(rearrange(seen, "b n s d -> b s (n d)"))


class CrossAttention(nn.Module):
    """Attention from video tokens to a prompt's keys and values, which are computed once a prompt."""

    def __init__(self, width: int, num_heads: int, num_kv_heads: int):
        super().__init__()
        self.head_dim = width // num_heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * num_kv_heads * self.head_dim, bias=False)
        self.query_norm, self.key_norm = RMSNorm(self.head_dim), RMSNorm(self.head_dim)
        self.out = zero_linear(width, width)

    def project(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values `[B, N_kv, L, D]` of an encoded text `[B, L, E]`."""
        keys, values = rearrange(self.key_value(text), "b l (two n d) -> two b n l d", two=2, d=self.head_dim)
        return self.key_norm(keys), values

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        queries = self.query_norm(rearrange(self.query(x), "b s (n d) -> b n s d", d=self.head_dim))
        return self.out(rearrange(attend(queries, keys, values, mask), "b n s d -> b s (n d)"))


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention; fewer key heads than query heads are shared. `[B, N, S, D]` each."""
    keys, values = keys.to(queries.dtype), values.to(queries.dtype)
    small = queries.shape[2] * keys.shape[2] <= _MOST_SCORES
    if torch.is_grad_enabled() and queries.device.type == "cpu" and queries.dtype == torch.bfloat16 and small:
        return attend_by_products(queries, keys, values, mask)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=True)


def attend_by_products(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """`attend` in plain matrix products: on a CPU and in bfloat16, torch's kernel takes twice as long with its gradients.

    In float32 the kernel is level or faster, with AVX2 and with AVX-512. It keeps all scores in memory. They are rounded before
    the softmax, where the kernel keeps float32. A query that may see nothing gets the mean of all values, where the kernel gives
    zeros.
    """
    (batch, num_heads, length, head_dim), num_kv_heads = queries.shape, keys.shape[1]
    rows = (queries * head_dim**-0.5).reshape(batch, num_kv_heads, -1, head_dim)  # the heads of a group, one after the other
    scores = (rows @ keys.transpose(-2, -1)).view(batch, num_heads, length, -1)
    if mask is not None:
        lowest = torch.finfo(scores.dtype).min / 2  # finite, so that a query that may see nothing has finite gradients
        scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill_(~mask, lowest)
    weights = scores.softmax(dim=-1).to(values.dtype).view(batch, num_kv_heads, -1, keys.shape[2])
    return (weights @ values).view(batch, num_heads, length, head_dim)


def zero_linear(in_width: int, out_width: int) -> nn.Linear:
    """A map without bias that starts as zero, so that a residual branch starts as the identity."""
    linear = nn.Linear(in_width, out_width, bias=False)
    nn.init.zeros_(linear.weight)
    return linear
