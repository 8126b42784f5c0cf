"""What this machine does fast, measured once a process, since a processor's name does not tell; and how many cores it has.

On a CPU without units for bfloat16, training in bfloat16 takes 9 to 17 times as long as in float32. Every room may import this
module, which knows torch and nothing of ours.
"""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from .notices import Notice

_WIDTH = 256
_FEW_ROWS, _MANY_ROWS = 128, 1024  # a first look, and the layers of a small transformer
_CLEAR = 3  # a factor after which nothing is left to find out
_ROUNDS, _FEW_ROUNDS = 7, 3
_LEAST_CAPABILITY = (8, 0)  # the first GPUs of NVIDIA with units for bfloat16


class SlowPrecision(Notice):
    """A precision that was asked for is slower on this machine than float32."""


def num_cores() -> int:
    """Cores that this process may compute on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def core_left_free() -> Iterator[None]:
    """Computes with a thread fewer than there are cores, if it would with as many, and if nobody has set `OMP_NUM_THREADS`.

    Threads that share one product wait for each other, and all of them for one whose core a browser takes. On two cores that a
    person plays at, a frame of a world took 50 ms by one thread and 70 by two, though two are faster where nothing else runs.
    """
    threads = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, min(threads, num_cores() - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def trains_on_cpu(x: Tensor) -> bool:
    """Whether `x` is computed with on a CPU, by a network that is being trained: what takes few passes is then faster."""
    return torch.is_grad_enabled() and x.device.type == "cpu"


@dataclass(frozen=True)
class ProductRates:
    """Operations per second of products with their gradients, from float32 to float32, as mixed precision computes them."""

    float32: float
    """Rate in float32."""
    bfloat16: float
    """Rate in bfloat16, with the conversion of both factors."""

    @property
    def gain(self) -> float:
        """How many times as fast bfloat16 is."""
        return self.bfloat16 / self.float32

    def __str__(self) -> str:
        return f"products {_spoken(self.bfloat16)} in bfloat16, {_spoken(self.float32)} in float32"


@cache
def product_rates() -> ProductRates:
    """Times a product of each kind on one thread of the CPU, in turns; some 50 ms, once a process.

    Such a product decides for whole steps too: with no gain both trainings lose, and with a threefold gain both gain. The
    time is the thread's own, so that other work on the machine decides nothing.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        first = _rates(_FEW_ROWS, _FEW_ROUNDS)
        return first if first.gain * _CLEAR < 1 else _rates(_MANY_ROWS, _ROUNDS)
    finally:
        torch.set_num_threads(threads)


def _rates(rows: int, rounds: int) -> ProductRates:
    """The best of some rounds."""
    products = [_Product(dtype, rows) for dtype in (torch.float32, torch.bfloat16)]
    times = [[product.seconds() for product in products] for _ in range(rounds)]
    float32, bfloat16 = (products[0].operations / min(column) for column in zip(*times, strict=True))
    return ProductRates(float32, bfloat16)


def bfloat16_pays(device: torch.device | str) -> bool:
    """Whether products are faster in bfloat16 than in float32: measured on a CPU, by compute capability on a GPU."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.get_device_capability(device) >= _LEAST_CAPABILITY
    return kind == "cpu" and product_rates().gain > 1


def warn_if_slow(dtype: torch.dtype, device: torch.device | str) -> None:
    """Warns if bfloat16 was asked for and float32 would be faster, with the factor."""
    if dtype != torch.bfloat16 or torch.device(device).type != "cpu" or bfloat16_pays(device):
        return
    rates = product_rates()
    warnings.warn(
        f"bfloat16 is {1 / rates.gain:.2g} times as slow as float32 on this machine ({rates}); leave it out, or take float32",
        SlowPrecision,
        stacklevel=3,
    )


class _Product:
    """A linear layer's output and the gradients of both factors, computed in `dtype` from float32 and given back in it."""

    def __init__(self, dtype: torch.dtype, rows: int):
        self.dtype, self.operations = dtype, 3 * 2 * rows * _WIDTH * _WIDTH
        self.factors = torch.ones(rows, _WIDTH), torch.ones(_WIDTH, _WIDTH), torch.ones(rows, _WIDTH)
        self.seconds()  # the first one prepares the kernels

    @torch.no_grad()
    def seconds(self) -> float:
        """Seconds of this thread for one product."""
        started = time.thread_time()
        x, weight, pull = (factor.to(self.dtype) for factor in self.factors)
        for product in (x @ weight, pull @ weight.t(), pull.t() @ x):
            product.float()
        return time.thread_time() - started


def _spoken(rate: float) -> str:
    return f"{rate / 1e9:,.0f} GFLOP/s" if rate >= 1e10 else f"{rate / 1e9:.2g} GFLOP/s"
