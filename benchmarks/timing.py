"""Timing on a machine that is shared: rivals take turns, and the machine's own limits are measured beside them."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

import torch

from framecast.machine import bfloat16_pays

Work = Callable[[], object]

_READ_BYTES = 2**28
_MATMUL_SIDE = 2048
_LEAST_SECONDS = 0.05


def dtypes_of(device: torch.device) -> tuple[torch.dtype, ...]:
    """What is measured there, the fastest one first: a machine without units for bfloat16 would take minutes for a row."""
    return (torch.bfloat16, torch.float32) if bfloat16_pays(device) else (torch.float32,)


def name_of(dtype: torch.dtype) -> str:
    """Its name, such as "float32"."""
    return str(dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Limits:
    """What this machine can do, measured.

    Attributes:
        bandwidth: Bytes per second of one large read.
        arithmetic: Operations per second of the best large matrix product, by dtype; only what the machine has units for.
    """

    bandwidth: float
    arithmetic: dict[torch.dtype, float]

    @classmethod
    def measure(cls, device: torch.device, side: int = _MATMUL_SIDE) -> "Limits":
        """Takes a few seconds; the products are of square matrices of that side."""
        memory = torch.ones(_READ_BYTES // 4, device=device)
        read = best(lambda: memory.sum(), device)
        arithmetic = {}
        for dtype in dtypes_of(device):
            square = torch.randn(side, side, device=device, dtype=dtype)
            arithmetic[dtype] = 2 * side**3 / best(partial(torch.matmul, square, square), device)
        return cls(_READ_BYTES / read, arithmetic)

    def seconds(self, num_bytes: float, operations: float, dtype: torch.dtype) -> float:
        """The least time for reading `num_bytes` and for doing `operations`, whichever is longer."""
        return max(num_bytes / self.bandwidth, operations / self.arithmetic[dtype])


@dataclass(frozen=True)
class Contest:
    """Something we do, and the same done by a peer.

    Attributes:
        name: What it is, with the sizes that matter.
        ours: Does it once.
        units: How many of `unit` one call makes.
        unit: What is counted, such as "token".
        peer: Does the same by other means.
        peer_name: The name of these means.
        target: What the ratio is to be.
        dtype: The precision in which it is computed.
        num_bytes: Bytes that one call has to read at the least.
        operations: Arithmetic operations that it has to do.
    """

    name: str
    ours: Work
    units: float
    unit: str
    peer: Work | None = None
    peer_name: str = ""
    target: str = ""
    dtype: torch.dtype = torch.float32
    num_bytes: float = 0.0
    operations: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A row of the table: times are medians over the rounds, in seconds per unit.

    Attributes:
        name: As in the contest.
        unit: As in the contest.
        ours: Our time.
        peer: The peer's time.
        peer_name: The peer.
        ratio: The peer's time over ours in the same round, the median over the rounds; above 1 we are faster.
        share: How much we need of the time that the machine's limits allow: 1 is the limit.
        target: As in the contest.
    """

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    share: float | None
    target: str


def compete(contest: Contest, limits: Limits, device: torch.device, rounds: int) -> Outcome:
    """Lets both take turns, so that a busy moment of the machine hits both."""
    rivals = [often(work, device) for work in (contest.ours, contest.peer) if work is not None]
    seconds = [[seconds_of(work, device) / times for work, times in rivals] for _ in range(rounds)]
    medians = [statistics.median(column) / contest.units for column in zip(*seconds, strict=True)]
    least = limits.seconds(contest.num_bytes, contest.operations, contest.dtype) / contest.units
    return Outcome(
        contest.name,
        contest.unit,
        medians[0],
        medians[1] if contest.peer else None,
        contest.peer_name,
        statistics.median(theirs / ours for ours, theirs in seconds) if contest.peer else None,
        least / medians[0] if least else None,
        contest.target,
    )


def often(work: Work, device: torch.device) -> tuple[Work, int]:
    """Repeats a work so often that it can be timed, and how often that is; begins with a warm-up."""
    work()
    times = max(1, ceil(_LEAST_SECONDS / seconds_of(work, device)))

    def repeated() -> None:
        for _ in range(times):
            work()

    return repeated, times


def seconds_of(work: Work, device: torch.device) -> float:
    """Seconds of one call; on a GPU by its own events."""
    if device.type == "cuda":
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def best(work: Work, device: torch.device, rounds: int = 7) -> float:
    """The least seconds of a call."""
    work()
    return min(seconds_of(work, device) for _ in range(rounds))


def p99(values: Sequence[float]) -> float:
    """The value that one in a hundred exceeds."""
    return statistics.quantiles(values, n=100)[98]
