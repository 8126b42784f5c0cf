"""What every quantizer is: latents in, tokens and quantized latents out, in float32 whatever autocast says."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, log, prod, sqrt
from operator import mul
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

_NEAREST = 4


@dataclass(frozen=True)
class Quantized:
    """The result of quantizing latents `[B, T, H, W, D]`.

    Attributes:
        latents: `[B, T, H, W, D]`, the quantized latents; gradients pass straight through to the input.
        tokens: int64 `[B, T, H, W]` in [0, codebook_size).
        loss: Scalar the quantizer wants added to the training loss, weighted; zero for those that need none, and outside of
            training.
    """

    latents: Tensor
    tokens: Tensor
    loss: Tensor


class Quantizer(nn.Module, ABC):
    """Maps latents of width `dim` to one of `codebook_size` tokens, and tokens back.

    A subclass fills in three functions on flat sequences `[B, N, D]`; this class does shapes and precision.

    Args:
        dim: Width of the latents.
        digits: Sizes of the numbers that a token is joined from, the lowest digit first; the codebook has their product.
        options: The plain values that rebuild this quantizer: `type(self)(**options)`.
    """

    has_levels = False
    """Whether each digit of a token is a level of one of the latent's numbers."""

    def __init__(self, dim: int, digits: Sequence[int], options: dict[str, Any]):
        super().__init__()
        self.dim, self.codebook_size, self.options, self.digits = dim, prod(digits), options, tuple(digits)
        if self.codebook_size >= 2**62:
            raise ValueError(f"got {' x '.join(map(str, digits))} codes; wanted a joint codebook below 2^62, an int64 token")
        self.codebook_base = _cut_between_digits(digits)
        """Where large vocabularies cut a token in two, `high * codebook_base + low`: between two digits if it can be."""

    def forward(self, latents: Tensor) -> Quantized:
        """Quantizes `[B, T, H, W, D]`.

        Latents that are not finite get the tokens of zeros, teach the codebook nothing and make the loss NaN, so that a training
        drops the step.
        """
        shape = dict(zip("thw", latents.shape[1:4], strict=True))
        rows = rearrange(latents.float(), "b t h w d -> b (t h w) d")
        with torch.autocast(latents.device.type, enabled=False):  # rounding in bf16 loses codes
            sound = bool(latents.isfinite().all())
            quantized, tokens, loss = self._quantize(rows) if sound else self._quantize_unsound(rows)
        tokens = rearrange(tokens.long(), "b (t h w) -> b t h w", **shape)
        return Quantized(rearrange(quantized, "b (t h w) d -> b t h w d", **shape), tokens, loss)

    def tokens_to_latents(self, tokens: Tensor) -> Tensor:
        """The quantized latents float32 `[B, T, H, W, D]` of tokens `[B, T, H, W]`."""
        with torch.autocast(tokens.device.type, enabled=False):
            latents = self._lookup(rearrange(tokens.long(), "b t h w -> b (t h w)"))
        return rearrange(latents, "b (t h w) d -> b t h w d", **dict(zip("thw", tokens.shape[1:], strict=True)))

    def latents_to_tokens(self, latents: Tensor) -> Tensor:
        """The inverse of `tokens_to_latents`, for latents that are already quantized."""
        with torch.autocast(latents.device.type, enabled=False):
            tokens = self._invert(rearrange(latents.float(), "b t h w d -> b (t h w) d"))
        shape = dict(zip("thw", latents.shape[1:4], strict=True))
        return rearrange(tokens.long(), "b (t h w) -> b t h w", **shape)

    def near(self, tokens: Tensor) -> Tensor:
        """For each token another one with almost the same latents, at random; same shape.

        If a token is joined from levels of the latent's numbers, one of them goes up or down by one. Otherwise the token becomes
        one of those whose latents are nearest.
        """
        if not self.has_levels:
            return self._nearest_codes(tokens)
        sizes = torch.tensor(self.digits, device=tokens.device)
        weights = torch.tensor(list(accumulate((1, *self.digits[:-1]), mul)), device=tokens.device)
        chosen = torch.randint(len(self.digits), tokens.shape, device=tokens.device)
        size, weight = sizes[chosen], weights[chosen]
        digit = tokens // weight % size
        up = torch.rand(tokens.shape, device=tokens.device) < 0.5
        up = torch.where(digit == 0, True, torch.where(digit == size - 1, False, up))
        return tokens + torch.where(up, weight, -weight)

    def _nearest_codes(self, tokens: Tensor) -> Tensor:
        with torch.autocast(tokens.device.type, enabled=False):
            codes = self._lookup(torch.arange(self.codebook_size, device=tokens.device)[None])[0]
            found, place = tokens.unique(return_inverse=True)
            apart = torch.cdist(codes[found], codes).scatter(1, found[:, None], float("inf"))
        nearest = apart.topk(min(_NEAREST, self.codebook_size - 1), largest=False).indices  # [found, n]
        return nearest[place, torch.randint(nearest.shape[1], tokens.shape, device=tokens.device)]

    def _quantize_unsound(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `_quantize`, if some latents are not finite; they stay so in the quantized ones, to tell which they were."""
        training = self.training
        self.eval()  # a codebook that follows its latents must not follow these
        quantized, tokens, loss = self._quantize(latents.nan_to_num(0.0, 0.0, 0.0))
        self.train(training)
        trace = latents * 0
        return quantized + trace, tokens, loss + trace.sum()

    @abstractmethod
    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`[B, N, D]` -> quantized `[B, N, D]`, tokens `[B, N]`, loss."""

    @abstractmethod
    def _lookup(self, tokens: Tensor) -> Tensor:
        """Tokens `[B, N]` -> quantized latents `[B, N, D]`."""

    @abstractmethod
    def _invert(self, latents: Tensor) -> Tensor:
        """Quantized latents `[B, N, D]` -> tokens `[B, N]`."""


def _cut_between_digits(digits: Sequence[int], most: float = 4.0) -> int:
    """The product of the first digits that is nearest to the square root of all; the root itself if that is `most` times off."""
    root = sqrt(prod(digits))
    cuts = [cut for cut in accumulate(digits[:-1], mul) if 1 / most <= cut / root <= most]
    return min(cuts, key=lambda cut: abs(log(cut / root)), default=ceil(root))


def join_digits(digits: Tensor, base: int) -> Tensor:
    """One token out of one index per residual level: `[..., Q]` in [0, base) -> `[...]` in [0, base ** Q)."""
    weights = base ** torch.arange(digits.shape[-1], device=digits.device)
    return (digits.long() * weights).sum(dim=-1)


def split_digits(tokens: Tensor, base: int, num_digits: int) -> Tensor:
    """The inverse of `join_digits`: `[...]` -> `[..., num_digits]`."""
    weights = base ** torch.arange(num_digits, device=tokens.device)
    return tokens.unsqueeze(-1) // weights % base


def check(holds: bool, got: str, wanted: str) -> None:
    """Raises ValueError if an option of a quantizer is out of its range."""
    if not holds:
        raise ValueError(f"got {got}; wanted {wanted}")
