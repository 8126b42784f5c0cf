"""I3D, the network on whose answers the Fréchet video distance is measured.

"Quo vadis, action recognition?", Carreira & Zisserman 2017: the Inception network of Szegedy et al. 2015 with its kernels
inflated over time, for the 400 classes of Kinetics. Parameters have the names of the usual PyTorch port.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..sample.weights import load_weights

NUM_CLASSES = 400
_POOL = (2, 7, 7)  # of the average before the answer
Triple = tuple[int, int, int]

_STEM: dict[str, tuple[int, int, int, int]] = {  # from, to, kernel, stride
    "Conv3d_1a_7x7": (3, 64, 7, 2),
    "Conv3d_2b_1x1": (64, 64, 1, 1),
    "Conv3d_2c_3x3": (64, 192, 3, 1),
}
_MIXED: dict[str, tuple[int, tuple[int, ...]]] = {  # from, and the widths of the branches: 1; 1, 3; 1, 3; pool, 1
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
_POOL_BEFORE: dict[str, tuple[Triple, Triple]] = {  # kernel and stride
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}


class Unit3D(nn.Module):
    """A convolution whose padding keeps every `stride`-th place, then norm and ReLU."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1):
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.conv3d = nn.Conv3d(before, after, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(after, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(pad_same(x, self.kernel, self.stride))))


class Mixed(nn.Module):
    """Four branches side by side (Inception), their channels joined."""

    def __init__(self, before: int, widths: Sequence[int]):
        super().__init__()
        self.b0 = Unit3D(before, widths[0], 1)
        self.b1a, self.b1b = Unit3D(before, widths[1], 1), Unit3D(widths[1], widths[2], 3)
        self.b2a, self.b2b = Unit3D(before, widths[3], 1), Unit3D(widths[3], widths[4], 3)
        self.b3b = Unit3D(before, widths[5], 1)

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pool_same(x, (3, 3, 3), (1, 1, 1))))
        return torch.cat(branches, dim=1)


class Answer(nn.Module):
    """The last convolution, with a bias and nothing behind it."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.conv3d = nn.Conv3d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3d(x)


class I3D(nn.Module):
    """`[B, 3, T, H, W]` in [-1, 1] to the scores of 400 classes `[B, 400]`, the mean over time; T >= 9, H and W >= 193.

    Published figures have 16 frames of 224 x 224 pixels.
    """

    def __init__(self):
        super().__init__()
        for name, sizes in _STEM.items():
            self.add_module(name, Unit3D(*sizes))
        for name, shape in _MIXED.items():
            self.add_module(name, Mixed(*shape))
        self.logits = Answer(1024, NUM_CLASSES)

    def forward(self, video: Tensor) -> Tensor:
        x = video
        for name in chain(_STEM, _MIXED):
            if name in _POOL_BEFORE:
                x = pool_same(x, *_POOL_BEFORE[name])
            x = self.get_submodule(name)(x)
        scores = self.logits(F.avg_pool3d(x, _POOL, stride=1))
        return rearrange(scores, "b c t h w -> b c (t h w)").mean(dim=2)


def load_i3d(path: str | Path) -> I3D:
    """The network with the weights of a safetensors file, in eval mode.

    Raises:
        ValueError: There is no such file, or it holds something else.
    """
    network = I3D()
    counts = frozenset(name for name in network.state_dict() if name.endswith("num_batches_tracked"))
    load_weights(network, Path(path), optional=counts)
    return network.eval()


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zeros around `x` so that one place comes out for every `stride` places, the odd one at the end, as in TensorFlow."""
    totals = [max(k - (n % s or s), 0) for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    return F.pad(x, [side for total in reversed(totals) for side in (total // 2, total - total // 2)])


def pool_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """The largest of each kernel; `x` is not negative, so that zeros around it change nothing."""
    return F.max_pool3d(pad_same(x, kernel, stride), kernel, stride)
