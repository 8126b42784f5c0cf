"""The transformer's layers against their formulas and against `scaled_dot_product_attention`."""

import math

import pytest
import slow_lm
import tiny
import torch
import torch.nn.functional as F

from framecast.model.layers import CrossAttention, RMSNorm, SelfAttention, SwiGLU, attend


def see_all(*qkv):
    return qkv


@pytest.mark.parametrize(("num_heads", "num_kv_heads"), [(4, 4), (4, 2), (4, 1)])
@torch.no_grad()
def test_attention_equals_an_explicit_softmax(num_heads, num_kv_heads):
    generator = tiny.rng()
    queries = torch.randn(2, num_heads, 5, 8, generator=generator)
    keys, values = torch.randn(2, 2, num_kv_heads, 7, 8, generator=generator)
    mask = torch.rand(2, 1, 5, 7, generator=generator) < 0.6
    mask[..., 0] = True
    for allowed in (mask, None):
        result = attend(queries, keys, values, allowed)
        for head in range(num_heads):
            shared = head // (num_heads // num_kv_heads)
            scores = queries[:, head] @ keys[:, shared].transpose(1, 2) / math.sqrt(8)
            weights = (scores if allowed is None else scores.masked_fill(~allowed[:, 0], -math.inf)).softmax(dim=-1)
            torch.testing.assert_close(result[:, head], weights @ values[:, shared])


@torch.no_grad()
def test_attention_takes_keys_of_another_precision():
    queries, keys = torch.randn(2, 1, 2, 4, 8, generator=tiny.rng())
    assert attend(queries.bfloat16(), keys, keys, None).dtype == torch.bfloat16


@torch.no_grad()
def test_self_attention_norms_queries_and_keys():
    layer, x = tiny.randomise(SelfAttention(32, 4, 2)), torch.randn(2, 6, 32, generator=tiny.rng())
    heads = (x @ layer.qkv.weight.T).unflatten(-1, (8, 8)).transpose(1, 2)
    queries, keys = slow_lm.norm(heads[:, :4], layer.query_norm), slow_lm.norm(heads[:, 4:6], layer.key_norm)
    keys, values = keys.repeat_interleave(2, dim=1), heads[:, 6:].repeat_interleave(2, dim=1)
    expected = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    torch.testing.assert_close(layer(x, see_all, mask), expected.transpose(1, 2).flatten(2) @ layer.out.weight.T)


@torch.no_grad()
def test_cross_attention_equals_the_whole_computed_at_once():
    layer = tiny.randomise(CrossAttention(32, 4, 2))
    x, text = torch.randn(2, 6, 32, generator=tiny.rng()), torch.randn(2, 5, 32, generator=tiny.rng(1))
    mask = (torch.arange(5) < torch.tensor([3, 5])[:, None])[:, None, None]
    queries = slow_lm.norm((x @ layer.query.weight.T).unflatten(-1, (4, 8)).transpose(1, 2), layer.query_norm)
    keys, values = (part.unflatten(-1, (2, 8)).transpose(1, 2) for part in (text @ layer.key_value.weight.T).chunk(2, -1))
    keys, values = (part.repeat_interleave(2, dim=1) for part in (slow_lm.norm(keys, layer.key_norm), values))
    expected = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    result = layer(x, *layer.project(text), mask)
    torch.testing.assert_close(result, expected.transpose(1, 2).flatten(2) @ layer.out.weight.T)


@torch.no_grad()
def test_swiglu_and_norm_by_formula():
    layer, x = tiny.randomise(SwiGLU(8, 12)), torch.randn(2, 3, 8, generator=tiny.rng())
    gate, value = x @ layer.up.weight[:12].T, x @ layer.up.weight[12:].T
    torch.testing.assert_close(layer(x), (gate * torch.sigmoid(gate) * value) @ layer.down.weight.T)
    norm = tiny.randomise(RMSNorm(8))
    torch.testing.assert_close(norm(x), slow_lm.norm(x, norm))
    assert norm(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("layer", [SelfAttention(32, 4, 2), SwiGLU(32, 8)])
@torch.no_grad()
def test_residual_branches_start_as_zero(layer):
    x = torch.randn(1, 3, 32)
    assert (layer(x, see_all, None) if isinstance(layer, SelfAttention) else layer(x)).abs().max() == 0
