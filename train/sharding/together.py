"""What all processes do, and what one of them cannot: then none goes on, and none waits for the others."""

from collections.abc import Callable
from typing import TypeVar

import torch.distributed as dist

T = TypeVar("T")


def together(work: Callable[[], T], kind: type[Exception] = ValueError) -> list[T]:
    """Does the same work in every process; all of them must call this.

    Returns:
        The results of all processes, plain values, in their order.

    Raises:
        kind: It failed in one of them; the message says in which and why.
    """
    result: T | None = None
    failure: Exception | None = None
    try:
        result = work()
    except Exception as error:  # whatever it is, the others wait to hear of it
        failure = error
    found: list[tuple[T, str | None]] = [None] * dist.get_world_size()  # type: ignore[list-item]
    dist.all_gather_object(found, (result, None if failure is None else str(failure) or type(failure).__name__))
    for rank, (_, message) in enumerate(found):
        if message is not None:
            where = f" (in process {rank} of {len(found)})" if len(found) > 1 else ""
            raise kind(f"{message}{where}") from failure
    return [each for each, _ in found]
