"""What is computed in another way on a CPU, against the formulas."""

import pytest
import slow_lm
import tiny
import torch
import torch.nn.functional as F

from framecast.model.cpu import attend_by_products, cache_dtype
from framecast.model.layers import RMSNorm


@pytest.mark.parametrize(("num_heads", "num_kv_heads"), [(4, 4), (4, 2), (4, 1)])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_in_products_has_the_values_and_gradients_of_the_kernel(num_heads, num_kv_heads, masked):
    generator = tiny.rng()
    qkv = [torch.randn(2, heads, 7, 8, generator=generator) for heads in (num_heads, num_kv_heads, num_kv_heads)]
    mask = torch.ones(7, 7, dtype=torch.bool).tril() if masked else None
    results = []
    for function in (attend_by_products, lambda *given: F.scaled_dot_product_attention(*given[:3], given[3], enable_gqa=True)):
        leaves = [x.clone().requires_grad_() for x in qkv]
        result = function(*leaves, mask)
        results.append([result, *torch.autograd.grad(result.square().sum(), leaves)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    if masked:
        wide = mask[None, None, :1].expand(2, 1, 1, 7)  # one row for all queries, as a prompt has
        kernel = F.scaled_dot_product_attention(*qkv, wide, enable_gqa=True)
        torch.testing.assert_close(attend_by_products(*qkv, wide), kernel, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(results[0][0], attend_by_products(*qkv, None))


def test_norm_gradients_are_exact():
    norm = tiny.randomise(RMSNorm(6)).double()
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=tiny.rng()).transpose(1, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, weight: RMSNorm.forward(norm, x), (x, norm.weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_norm_gradients_equal_those_of_the_formula(dtype):
    norm, x = tiny.randomise(RMSNorm(8)), torch.randn(2, 5, 8, generator=tiny.rng()).to(dtype)
    weights, grads = torch.randn(2, 5, 8, generator=tiny.rng(1)), []
    for function in (norm, lambda x: slow_lm.norm(x.float(), norm)):
        given = x.clone().requires_grad_()
        norm.weight.grad = None
        (function(given).float() * weights).sum().backward()
        grads.append((given.grad.float(), norm.weight.grad.clone()))
    tolerance = 1e-5 if dtype == torch.float32 else 0.05
    for fast, slow in zip(*grads, strict=True):
        torch.testing.assert_close(fast, slow, atol=tolerance, rtol=tolerance)


def test_keys_are_kept_in_float32_at_least():
    for dtype, kept in ((torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)):
        assert cache_dtype(torch.zeros(1, dtype=dtype)) == kept
    assert cache_dtype(torch.zeros(1, dtype=torch.bfloat16, device="meta")) == torch.bfloat16
