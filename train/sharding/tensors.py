"""Tensors of which each process holds some rows, and the ways to look at them."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor


def local(tensor: Tensor) -> Tensor:
    """The rows that this process holds, in the same memory; all of them if the tensor is not split. Without gradient."""
    tensor = tensor.detach()
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All rows, in every process; if the tensor is split, all processes must ask for it. Without gradient."""
    tensor = tensor.detach()
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def is_split(tensor: Tensor) -> bool:
    """Whether each process holds some rows."""
    return isinstance(tensor, DTensor)


def held_rows(tensor: Tensor, rows: slice) -> tuple[Tensor, slice]:
    """What this process holds of some rows of a tensor: these, in the same memory, and their places among `rows`."""
    own = slice(0, tensor.shape[0])
    if isinstance(tensor, DTensor):
        own = rows_of(tensor.shape[0], tensor.device_mesh.get_local_rank(), tensor.device_mesh.size())
    start = max(rows.start, own.start)
    stop = max(start, min(rows.stop, own.stop))
    return local(tensor)[start - own.start : stop - own.start], slice(start - rows.start, stop - rows.start)


def rows_of(length: int, rank: int, world: int) -> slice:
    """Which of `length` rows the process `rank` of `world` holds: equal numbers, but for the last ones, which may hold none."""
    number = -(-length // world)
    return slice(min(rank * number, length), min((rank + 1) * number, length))


def is_finite(tensor: Tensor) -> bool:
    """Whether no value is NaN or infinite, in any process; if the tensor is split, all processes must ask."""
    rows = local(tensor)
    fine = not rows.is_floating_point() or bool(torch.isfinite(rows).all())
    if not isinstance(tensor, DTensor):
        return fine
    agreed = torch.tensor(float(fine), device=rows.device)  # DTensor's own answer is that of each process
    dist.all_reduce(agreed, dist.ReduceOp.MIN, group=tensor.device_mesh.get_group())
    return bool(agreed)


def give_back(module: nn.Module) -> None:
    """Frees what is gathered of split weights; without a backward pass it would stay, and be of the past after a change."""
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


def swap(one: Tensor, other: Tensor) -> None:
    """Exchanges the values of two tensors of one shape where they are, since split weights are gathered from their memory."""
    with torch.no_grad():
        a, b = local(one), local(other)
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)
