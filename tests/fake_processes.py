"""One process that takes itself for one of many, without the others, for tests of what each of them would hold."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.testing._internal.distributed.fake_pg import FakeStore


@contextmanager
def one_of(rank: int, world: int) -> Iterator[DeviceMesh]:
    """Inside, this is process `rank` of `world`; what it receives from the others is not theirs."""
    dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
    try:
        yield init_device_mesh("cpu", (world,))
    finally:
        dist.destroy_process_group()
