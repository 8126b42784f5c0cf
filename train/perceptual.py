"""`Lpips`: how far two pictures are apart for a network that has learned to see.

"The unreasonable effectiveness of deep features as a perceptual metric", Zhang et al. 2018: the features of VGG16 (Simonyan &
Zisserman 2015) or AlexNet (Krizhevsky 2014) at five depths, of unit length, and a learned weight for each of their channels.
Parameters have the names of the usual PyTorch package.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..sample.declared import WeightsError, declared_shapes
from ..sample.weights import load_weights

_MEAN, _SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of pictures in [-1, 1]


def _vgg16() -> list[nn.Sequential]:
    """Thirteen convolutions in five slices; each slice after the first begins by halving height and width."""
    slices: list[nn.Sequential] = []
    before, index = 3, 0
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        slice_ = nn.Sequential()
        if slices:
            index = _add(slice_, index, nn.MaxPool2d(2))
        for _ in range(count):
            index = _add(slice_, index, nn.Conv2d(before, width, 3, padding=1))
            index = _add(slice_, index, nn.ReLU())
            before = width
        slices.append(slice_)
    return slices


def _alexnet() -> list[nn.Sequential]:
    """Five convolutions, one in each slice; the second and third begin with a pool."""
    convolutions = (
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.Conv2d(256, 256, 3, padding=1),
    )
    slices, index = [], 0
    for number, convolution in enumerate(convolutions):
        slice_ = nn.Sequential()
        if number in (1, 2):
            index = _add(slice_, index, nn.MaxPool2d(3, stride=2))
        index = _add(slice_, index, convolution)
        index = _add(slice_, index, nn.ReLU())
        slices.append(slice_)
    return slices


def _add(slice_: nn.Sequential, index: int, layer: nn.Module) -> int:
    """Adds a layer by its number in the whole network, as its parameters are named; returns the next number."""
    slice_.add_module(str(index), layer)
    return index + 1


NETWORKS = {"vgg16": _vgg16, "alexnet": _alexnet}
"""The networks, by name."""


class Features(nn.Module):
    """Five slices; what each of them gives."""

    def __init__(self, slices: list[nn.Sequential]):
        super().__init__()
        for number, slice_ in enumerate(slices, start=1):
            self.add_module(f"slice{number}", slice_)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for slice_ in self.children():
            x = slice_(x)
            found.append(x)
        return found


class Lpips(nn.Module):
    """The distance of pictures `[N, 3, H, W]` in [-1, 1] from others, `[N]`; frozen, and in eval mode.

    Args:
        network: A name in `NETWORKS`.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, network: str = "vgg16"):
        super().__init__()
        slices = NETWORKS[network]()
        self.net = Features(slices)
        widths = [max(layer.out_channels for layer in slice_ if isinstance(layer, nn.Conv2d)) for slice_ in slices]
        for number, width in enumerate(widths):  # the dropout in front of each weight is for training alone
            self.add_module(
                f"lin{number}", nn.ModuleDict({"model": nn.Sequential(nn.Identity(), nn.Conv2d(width, 1, 1, bias=False))})
            )
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        distance = a.new_zeros(len(a))
        pairs = zip(self.net((a - self.mean) / self.spread), self.net((b - self.mean) / self.spread), strict=True)
        for number, (one, other) in enumerate(pairs):
            weigh = self.get_submodule(f"lin{number}.model")
            distance = distance + weigh((_unit(one) - _unit(other)).square()).mean(dim=(1, 2, 3))
        return distance


def load_perceptual(path: str | Path) -> Lpips:
    """The distance whose weights are in a safetensors file; which network it is shows in the first kernel.

    Raises:
        ValueError: There is no such file, or it holds something else.
    """
    path = Path(path)
    kernel = declared_shapes(path).get("net.slice1.0.weight")
    names = {(64, 3, 3, 3): "vgg16", (64, 3, 11, 11): "alexnet"}
    if kernel not in names:
        raise WeightsError(
            f"{path} holds weights of another network: net.slice1.0.weight is {kernel}; wanted LPIPS of VGG16 or AlexNet"
        )
    distance = Lpips(names[kernel])
    doubled = frozenset(f"lins.{number}.model.1.weight" for number in range(5))
    load_weights(distance, path, optional=doubled | {"scaling_layer.shift", "scaling_layer.scale"})
    return distance


def _unit(x: Tensor) -> Tensor:
    """Features of length one at every place."""
    return x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10)  # its gradient at zero is zero, that of a root is none
