"""Products with a weight that is kept in the order in which a CPU's kernels read it.

Two libraries compute them, and which one is faster depends on the machine. A stream's tokens must not depend on it. So there is a
choice only if both sum in the same order and agree to the last bit, whatever the number of rows.
"""

import time
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

Kernel = Callable[[Tensor, Tensor | None], Tensor]
"""The output of a layer for an input and the layer's bias, if it has one."""

_ROWS = 16  # rows of input that an order is chosen for; it is fast for other numbers, too
_SUMMED_IN_ORDER = 256  # features; longer sums are split, by each library in its own way
_MOST_PADDING = 6
_TIMED_ROWS = (2, 16)  # a token, and a row of tokens, with guidance
_TURNS = 7


def linear_kernel(weight: Tensor) -> Kernel:
    """The fastest of the kernels that give the same output for `weight` `[out, in]`, on this machine."""
    out_features, in_features = weight.shape
    alike = weight.dtype == torch.float32 and in_features <= _SUMMED_IN_ORDER
    if alike and _transposed_is_faster(in_features, out_features, torch.get_num_threads()):
        return TransposedProduct(weight)
    return OrderedProduct(weight)


class OrderedProduct:
    """oneDNN's product, with the weight in its blocks.

    In float32 a row of the output does not depend on how many rows there are. On some machines oneDNN splits sums of more than
    1,024 features for a single row; such a row is computed with a second one.
    """

    def __init__(self, weight: Tensor):
        self.out_features, self.in_features = weight.shape
        self.ordered = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        if x.numel() == self.in_features and not _single_row_is_exact(self.in_features, self.out_features):
            twice = x.reshape(1, -1).expand(2, -1).contiguous()
            return self._multiply(twice, bias)[:1].view(*x.shape[:-1], -1)
        return self._multiply(x, bias)

    def _multiply(self, x: Tensor, bias: Tensor | None) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.ordered, bias, "none", [], "")
        return product


class TransposedProduct:
    """The product of torch's own library, with the weight turned over, and rows added until it agrees with `OrderedProduct`.

    If no few rows make the two agree, `OrderedProduct` computes.
    """

    def __init__(self, weight: Tensor):
        self.weight, self.turned = weight, weight.t().contiguous()
        self._ordered: OrderedProduct | None = None

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        padding = _padding(len(rows), *self.turned.shape, torch.get_num_threads())
        if padding is None:
            self._ordered = self._ordered or OrderedProduct(self.weight)
            return self._ordered(x, bias)
        return self.multiply(rows, bias, padding).view(*x.shape[:-1], -1)

    def multiply(self, rows: Tensor, bias: Tensor | None, padding: int) -> Tensor:
        """`[R, in]` -> `[R, out]`, computed with `padding` more rows."""
        padded = F.pad(rows, (0, 0, 0, padding)) if padding else rows
        product = torch.mm(padded, self.turned) if bias is None else torch.addmm(bias, padded, self.turned)
        return product[: len(rows)]


@cache
@torch.inference_mode()
def _padding(rows: int, in_features: int, out_features: int, threads: int) -> int | None:
    """How many rows to add for the transposed product to be the ordered one; None if none of a few will do.

    Found out on random numbers, once a process for every number of rows that comes.
    """
    weight, x, bias = _random(out_features, in_features), _random(rows, in_features), _random(1, out_features)[0]
    wanted, product = OrderedProduct(weight)(x, bias), TransposedProduct(weight)
    agree = (n for n in range(_MOST_PADDING + 1) if torch.equal(product.multiply(x, bias, n), wanted))
    return next(agree, None)


@cache
@torch.inference_mode()
def _single_row_is_exact(in_features: int, out_features: int) -> bool:
    """Whether a row alone gets what it gets among others from the ordered product, found out once a process."""
    product, rows = OrderedProduct(_random(out_features, in_features)), _random(_ROWS, in_features)
    return torch.equal(product._multiply(rows[:1], None), product._multiply(rows, None)[:1])


@cache
@torch.inference_mode()
def _transposed_is_faster(in_features: int, out_features: int, threads: int) -> bool:
    """Times both products in turns, the best of a few, once a process; some milliseconds."""
    weight = _random(out_features, in_features)
    kernels: list[Kernel] = [OrderedProduct(weight), TransposedProduct(weight)]
    inputs = [_random(rows, in_features) for rows in _TIMED_ROWS]
    best = [[min(_seconds(kernel, x) for _ in range(_TURNS)) for kernel in kernels] for x in inputs]
    ordered, transposed = (sum(column) for column in zip(*best, strict=True))
    return bool(transposed < ordered)


def _seconds(kernel: Kernel, x: Tensor) -> float:
    started = time.perf_counter()
    kernel(x, None)
    return time.perf_counter() - started


def _random(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows * columns))
