"""What exists for speed on a CPU alone; the layers have the formulas, and `layers.py` says where these take their place."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..machine import trains_on_cpu

_MOST_SCORES = 2**20  # of one head and video; more would cost too much memory


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """`F.rms_norm` of `x` `[..., E]` with `weight` `[E]`, in few passes over the memory, forwards and backwards.

    The passes are what a norm costs on a CPU.
    """
    norm: Callable[[Tensor, Tensor, float], Tensor] = _FewPassRMSNorm.apply
    return norm(x, weight, epsilon)


class _FewPassRMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        sum_dtype = torch.promote_types(x.dtype, torch.float32)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=sum_dtype)
        inverse = norm.square().div(x.shape[-1]).add(epsilon).rsqrt().to(x.dtype)
        ctx.save_for_backward(x, weight, inverse)
        normed: Tensor = (x * inverse).mul_(weight)
        return normed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, inverse = ctx.saved_tensors
        width = x.shape[-1]
        product = grad * x
        pull = (product @ weight).unsqueeze(-1) * inverse.pow(3) / -width
        grad_x = (grad * weight).mul_(inverse).addcmul_(x, pull)
        return grad_x, inverse.flatten() @ product.reshape(-1, width), None


def takes_products(queries: Tensor, keys: Tensor) -> bool:
    """Whether `attend_by_products` is the faster one: with gradients, in bfloat16, for scores that fit the memory."""
    small = queries.shape[2] * keys.shape[2] <= _MOST_SCORES
    return trains_on_cpu(queries) and queries.dtype == torch.bfloat16 and small


def attend_by_products(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Attention in plain matrix products: on a CPU and in bfloat16, torch's kernel takes twice as long with its gradients.

    In float32 the kernel is level or faster, with AVX2 and with AVX-512. The products keep all scores in memory. The scores are
    rounded before the softmax, while the kernel keeps float32. A query that may see nothing gets the mean of all values, while
    the kernel gives zeros.
    """
    (batch, num_heads, length, head_dim), num_kv_heads = queries.shape, keys.shape[1]
    rows = (queries * head_dim**-0.5).reshape(batch, num_kv_heads, -1, head_dim)  # the heads of a group, one after the other
    scores = (rows @ keys.transpose(-2, -1)).view(batch, num_heads, length, -1)
    if mask is not None:
        lowest = torch.finfo(scores.dtype).min / 2  # finite, so that a query that may see nothing has finite gradients
        scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill_(~mask, lowest)
    weights = scores.softmax(dim=-1).to(values.dtype).view(batch, num_kv_heads, -1, keys.shape[2])
    seen: Tensor = (weights @ values).view(batch, num_heads, length, head_dim)
    return seen


def cache_dtype(like: Tensor) -> torch.dtype:
    """The precision of keys and values that are kept beside `like`: on a CPU float32 at least.

    Torch's attention in bfloat16 takes eight times as long on a CPU for a single query.
    """
    return torch.promote_types(like.dtype, torch.float32) if like.device.type == "cpu" else like.dtype
