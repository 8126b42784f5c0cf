"""Layers that keep their weight in the order in which a CPU's kernels read it, for inference."""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self, TypeVar, cast

import torch
from torch import Tensor, nn

from .products import Kernel, linear_kernel

Network = TypeVar("Network", bound=nn.Module)


def prepared(network: Network) -> Network:
    """A copy for inference whose linear and convolutional layers are faster on a CPU; how much depends on the machine.

    The copy shares the parameters and buffers of `network`, which stays as it is.

    Otherwise torch orders a weight anew at every call, or hands small inputs to slower code. Prepared and in float32, a row or
    picture of the output does not depend on those beside it, to the last bit; a row of a plain linear layer does. The weights in
    the kernels' order cost their memory a second time. Such weights are not used if gradients are wanted, or after a
    weight was changed.
    """
    return cast(Network, _prepared(network, {}))


def drop_kernels(network: nn.Module) -> None:
    """Lets a network that was prepared compute as plain layers do."""
    for layer in network.modules():
        if isinstance(layer, _Prepared):
            layer._copy = None


def _prepared(module: nn.Module, made: dict[nn.Module, nn.Module]) -> nn.Module:
    """A copy of a module and its children; one that stands in two places is copied once."""
    if module not in made:
        made[module] = copied = _prepared_layer(module)
        copied.__dict__ |= {name: copy.copy(copied.__dict__[name]) for name in ("_parameters", "_buffers")}
        copied.__dict__["_modules"] = {name: child and _prepared(child, made) for name, child in module._modules.items()}
        copied.training = False
    return made[module]


def _prepared_layer(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.Linear):
        return PreparedLinear.of(layer)
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return PreparedConv2d.of(layer)
    plain = type(layer).__new__(type(layer))
    plain.__dict__.update(layer.__dict__)
    return plain


class _Prepared(nn.Module, ABC):
    """A layer with the parameters of another one, and its weight in the kernels' order; without that if they do not run."""

    weight: Tensor
    _copy: "_Copy | None"

    @classmethod
    def of(cls, layer: nn.Module) -> Self:
        """Shares the parameters of `layer`."""
        prepared = cls.__new__(cls)
        prepared.__setstate__(layer.__getstate__())
        return prepared

    @abstractmethod
    def _kernel(self) -> Kernel:
        """What computes the layer's output from an input and the bias."""

    def forward(self, x: Tensor) -> Tensor:
        copy, weight = self._copy, self.weight
        wanted = x.dtype == weight.dtype and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        if wanted and copy is not None and copy.is_of(weight):
            return copy.kernel(x, cast("Tensor | None", self.bias))
        plain: Tensor = super().forward(x)
        return plain

    def __getstate__(self) -> dict[str, object]:
        return {**nn.Module.__getstate__(self), "_copy": None}  # a weight in the kernels' order can be neither copied nor saved

    def __setstate__(self, state: dict[str, object]) -> None:
        """A copy gets kernels of its own: without them, its output would be rounded in another way."""
        nn.Module.__setstate__(self, state)
        weight = self.weight
        self._copy = _Copy(self._kernel(), weight.data_ptr(), weight._version) if _has_kernels(weight) else None


class PreparedLinear(_Prepared, nn.Linear):
    """A linear layer with a prepared weight."""

    def _kernel(self) -> Kernel:
        return linear_kernel(self.weight.detach())


class PreparedConv2d(_Prepared, nn.Conv2d):
    """A convolution of pictures, padded with zeros, with a prepared weight."""

    def _kernel(self) -> Kernel:
        return OrderedConvolution(self)


class OrderedConvolution:
    """oneDNN's convolution, with the weight in the orders that it wants for pictures of the two sizes that came last.

    The orders for other sizes give the same output, but for some numbers of channels, such as 96, the weight would be ordered
    anew at every call, which takes 40 times as long as the convolution of a small picture.
    """

    def __init__(self, layer: nn.Conv2d):
        self._weight = layer.weight.detach()
        self._geometry = cast(tuple[int, ...], layer.padding), layer.stride, layer.dilation, layer.groups
        self._orders: tuple[tuple[tuple[int, ...], Tensor], ...] = ()  # replaced, never changed: other threads may use the layer

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        size, orders = tuple(x.shape[1:]), self._orders
        ordered = next((weight for known, weight in orders if known == size), None)
        if ordered is None:
            ordered = torch.ops.mkldnn._reorder_convolution_weight(self._weight, *self._geometry, (1, *size))
            self._orders = ((size, ordered), *orders[:1])
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, ordered, bias, *self._geometry, "none", [], "")
        return y


@dataclass(frozen=True)
class _Copy:
    """What computes with a weight in its own order, and what tells whether it is still that weight."""

    kernel: Kernel
    address: int
    version: int

    def is_of(self, weight: Tensor) -> bool:
        """Whether it was made of this weight as it is now."""
        return self.address == weight.data_ptr() and self.version == weight._version


def _has_kernels(weight: Tensor) -> bool:
    if weight.device.type != "cpu" or weight.is_inference() or not torch.backends.mkldnn.is_available():
        return False
    if weight.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype == torch.float32
