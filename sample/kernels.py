"""Layers that keep their weight in the order in which a CPU's kernels read it, for inference."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Self, cast

import torch
from torch import Tensor, nn

_ROWS = 16  # rows of input that a linear layer's order is chosen for; it is fast for other numbers, too
_SIDE = 16  # side of the pictures that a convolution's order is chosen for, likewise


def prepare(network: nn.Module) -> None:
    """Makes the linear and convolutional layers of a network faster on a CPU; how much depends on the machine.

    Otherwise torch orders a weight anew at every call, or hands small inputs to slower code. Prepared and in float32, a row or
    picture of the output does not depend on those beside it, to the last bit; that of a plain linear layer does. Parameters
    stay what and where they are; the copy costs their memory a second time. It is not used where gradients are wanted, or after
    a weight was changed.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, PreparedLinear.of(child))
            elif isinstance(child, nn.Conv2d) and child.padding_mode == "zeros" and not isinstance(child.padding, str):
                setattr(module, name, PreparedConv2d.of(child))


class _Prepared(nn.Module, ABC):
    """A layer with the parameters of another one, and its weight in the kernels' order; where they do not run, without."""

    weight: Tensor
    _copy: "_Copy | None"

    @classmethod
    def of(cls, layer: nn.Module) -> Self:
        """Shares the parameters of `layer`."""
        prepared = cls.__new__(cls)
        prepared.__dict__.update(layer.__getstate__())
        weight = prepared.weight
        prepared._copy = _Copy(prepared._reorder(), weight.data_ptr(), weight._version) if _has_kernels(weight) else None
        return prepared

    @abstractmethod
    def _reorder(self) -> Tensor:
        """The weight in the kernels' order."""

    def _memory(self, x: Tensor) -> Tensor | None:
        """The weight in the kernels' order, where it is what `x` needs."""
        copy, weight = self._copy, self.weight
        if copy is None or x.dtype != weight.dtype or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return None
        return copy.memory if copy.address == weight.data_ptr() and copy.version == weight._version else None

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_copy": None}  # the kernels' memory can be neither copied nor saved


class PreparedLinear(_Prepared, nn.Linear):
    """A linear layer with a prepared weight."""

    def _reorder(self) -> Tensor:
        return torch.ops.mkldnn._reorder_linear_weight(self.weight.detach(), _ROWS)

    def forward(self, x: Tensor) -> Tensor:
        memory = self._memory(x)
        if memory is None:
            return super().forward(x)
        if x.numel() == self.in_features and not _single_row_is_exact(self.in_features, self.out_features):
            twice = x.reshape(1, -1).expand(2, -1).contiguous()
            return _product(twice, memory, self.bias)[:1].view(*x.shape[:-1], -1)
        return _product(x, memory, self.bias)


class PreparedConv2d(_Prepared, nn.Conv2d):
    """A convolution of pictures, padded with zeros, with a prepared weight."""

    @property
    def _geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]:
        return cast(tuple[int, ...], self.padding), self.stride, self.dilation, self.groups

    def _reorder(self) -> Tensor:
        size = (1, self.in_channels, _SIDE, _SIDE)
        return torch.ops.mkldnn._reorder_convolution_weight(self.weight.detach(), *self._geometry, size)

    def forward(self, x: Tensor) -> Tensor:
        memory = self._memory(x)
        if memory is None:
            return super().forward(x)
        return torch.ops.mkldnn._convolution_pointwise(x, memory, self.bias, *self._geometry, "none", [], "")


def _product(x: Tensor, memory: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, memory, bias, "none", [], "")


@cache
@torch.inference_mode()
def _single_row_is_exact(in_features: int, out_features: int) -> bool:
    """Whether a row alone gives what it gives among others, to the last bit, on this machine and for layers of this shape.

    The kernels split long sums, of more than 1,024 features, for a single row alone; whether they do is found out once a process.
    """
    generator = torch.Generator().manual_seed(0)
    weight, rows = (torch.randn(size, in_features, generator=generator) for size in (out_features, _ROWS))
    memory = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
    return torch.equal(_product(rows[:1], memory, None), _product(rows, memory, None)[:1])


@dataclass(frozen=True)
class _Copy:
    """A weight in the kernels' order, and what tells whether it is still that weight."""

    memory: Tensor
    address: int
    version: int


def _has_kernels(weight: Tensor) -> bool:
    if weight.device.type != "cpu" or weight.is_inference() or not torch.backends.mkldnn.is_available():
        return False
    if weight.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype == torch.float32
