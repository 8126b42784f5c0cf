"""The first two laws of docs/architecture.md as helpers: streaming equals offline, and nothing leaks from the future.

Each names the index at which it failed. `tests/test_laws.py` feeds them layers that break the law.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


def compositions(total: int) -> Iterator[tuple[int, ...]]:
    """Every way to cut `total` steps into chunks, in order: 2 ** (total - 1) of them."""
    if total == 0:
        yield ()
    for first in range(1, total + 1):
        yield from ((first, *rest) for rest in compositions(total - first))


def first_difference(a: Tensor, b: Tensor, dim: int = 1, atol: float = 0.0) -> int | None:
    """The first index along `dim` at which two tensors differ by more than `atol`, NaN included; `None` if they agree."""
    assert a.shape == b.shape, (a.shape, b.shape)
    close = (a == b) | ((a.double() - b.double()).abs() <= atol)
    wrong = (~close).movedim(dim, 0).flatten(1).any(dim=1).nonzero()
    return int(wrong[0]) if len(wrong) else None


def assert_same(a: Tensor, b: Tensor, dim: int = 1, atol: float = 0.0, what: str = "it") -> None:
    """Asserts that two tensors agree within `atol` (0: to the bit); names the first index along `dim` where not."""
    index = first_difference(a, b, dim, atol)
    if index is not None:
        error = (a.select(dim, index).double() - b.select(dim, index).double()).abs().max().item()
        raise AssertionError(f"{what} differs first at index {index} of dimension {dim}, by {error:g}; allowed {atol:g}")


@torch.no_grad()
def assert_streams(
    step: Callable[[Tensor, Any], Tensor],
    init_state: Callable[[], Any],
    x: Tensor,
    chunks: Sequence[int],
    dim: int = 1,
    out_dim: int = 1,
    atol: float = 1e-5,
) -> None:
    """Law 1: `x` in chunks along `dim` with one state gives along `out_dim` what `x` gives whole and without one."""
    state = init_state()
    pieces = [step(chunk, state) for chunk in x.split(list(chunks), dim)]
    assert_same(torch.cat(pieces, out_dim), step(x, None), out_dim, atol, f"the result in chunks {tuple(chunks)}")


@torch.no_grad()
def assert_causal(
    step: Callable[[Tensor], Tensor],
    x: Tensor,
    other: Tensor,
    untouched: Callable[[int], int] = lambda t: t,
    dim: int = 1,
    out_dim: int = 1,
) -> None:
    """Law 2: where index t of `x` becomes that of `other`, the first `untouched(t)` outputs stay the same to the bit.

    Output `untouched(t)` itself must change for some t, or the check could not fail.
    """
    before, tight = step(x), False
    for t in range(x.shape[dim]):
        changed = x.clone()
        changed.select(dim, t).copy_(other.select(dim, t))
        index = first_difference(step(changed), before, out_dim)
        if index is not None and index < untouched(t):
            raise AssertionError(f"a change of input {t} reaches output {index}; outputs before {untouched(t)} are earlier")
        tight = tight or index == untouched(t)
    assert tight, "no change of an input reached the first output that may depend on it"
