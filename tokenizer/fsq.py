"""`FSQ`: finite scalar quantization, whose codebook is a formula."""

from itertools import accumulate
from math import prod
from operator import mul

import torch
from torch import Tensor

from .quantizer import Quantizer, check

_MAX_CODES = 2**24  # indices are sums in float32
_SLACK = 1e-3  # of the range, so that the outermost levels can be reached


class FSQ(Quantizer):
    """Finite scalar quantization (Mentzer et al. 2023): every number of the latent is rounded to one of a few levels.

    The numbers are squashed by tanh before they are rounded. In its flat ends only the outermost codes are used and hardly any
    gradient comes back; a small loss on what lies beyond `_LIMIT` keeps the numbers out of them.

    The values are those of vector-quantize-pytorch, bit for bit. Its `FSQ` is not asked, since loading that package takes twice
    as long as loading torch.

    Args:
        levels: Levels of each number; the codebook has their product.
        range_weight: Weight of the loss on numbers beyond the range that rounding needs.
    """

    _LIMIT = 1.5

    has_levels = True
    levels: Tensor
    basis: Tensor

    def __init__(self, levels: tuple[int, ...] = (8, 5, 5, 5), range_weight: float = 0.1):
        check(min(levels, default=0) >= 3, f"levels {tuple(levels)}", "one or more numbers of at least 3")
        check(prod(levels) <= _MAX_CODES, f"{prod(levels)} codes", f"at most {_MAX_CODES}")
        super().__init__(len(levels), levels, {"levels": tuple(levels), "range_weight": range_weight})
        self.range_weight = range_weight
        basis = list(accumulate((1, *levels[:-1]), mul))
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.int32, device="cpu"), persistent=False)
        self.register_buffer("basis", torch.tensor(basis, dtype=torch.int32, device="cpu"), persistent=False)

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        codes = self._round(latents)
        if not self.training:
            return codes, self._invert(codes), latents.new_zeros(())
        beyond = (latents.abs() - self._LIMIT).clamp(min=0)
        return codes, self._invert(codes), self.range_weight * beyond.square().mean()

    def _round(self, latents: Tensor) -> Tensor:
        """The nearest codes in [-1, 1]; gradients pass straight through the rounding."""
        reach = (self.levels - 1) * (1 + _SLACK) / 2
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        bounded = (latents + (offset / reach).atanh()).tanh() * reach - offset
        rounded = bounded + (bounded.round() - bounded).detach()
        return rounded / (self.levels // 2)

    def _lookup(self, tokens: Tensor) -> Tensor:
        half = self.levels // 2
        return (tokens.unsqueeze(-1) // self.basis % self.levels - half) / half

    def _invert(self, latents: Tensor) -> Tensor:
        half = self.levels // 2
        return ((latents * half + half) * self.basis).sum(dim=-1).round().to(torch.int32)
