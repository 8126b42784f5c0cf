"""The Fréchet distance between two sets of videos.

A distance means something only beside others on the same features, window length and number of videos.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

WINDOW = 16
"""Frames that features are made of, as is usual for the Fréchet video distance."""


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Mean and scatter of features, which can be added up over batches.

    Attributes:
        count: How many features were seen, N.
        mean: float64 `[D]`.
        scatter: float64 `[D, D]`, the sum over all features of the outer product of their deviation from the mean.
    """

    count: int
    mean: Tensor
    scatter: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "FeatureStatistics":
        """Statistics of features `[N, D]`, N >= 1, on the CPU.

        Raises:
            ValueError: The shape is another one, or a feature is not finite.
        """
        if features.ndim != 2 or 0 in features.shape or not features.isfinite().all():
            raise ValueError(
                f"got features of shape {list(features.shape)}; wanted finite features [N, D] with N >= 1; look at the videos "
                "and at the extractor they come from"
            )
        features = features.detach().cpu().double()
        mean = features.mean(dim=0)
        deviations = features - mean
        return cls(len(features), mean, deviations.T @ deviations)

    def merge(self, other: "FeatureStatistics") -> "FeatureStatistics":
        """The statistics of both sets of features together (Chan et al. 1979).

        Raises:
            ValueError: The widths of the features differ.
        """
        _check_same_width(self, other)
        count = self.count + other.count
        gap = other.mean - self.mean
        between = torch.outer(gap, gap) * (self.count * other.count / count)
        return FeatureStatistics(count, self.mean + gap * (other.count / count), self.scatter + other.scatter + between)

    @property
    def covariance(self) -> Tensor:
        """float64 `[D, D]`, without bias.

        Raises:
            ValueError: There are fewer than two features.
        """
        if self.count < 2:
            raise ValueError(
                f"got statistics of {self.count} feature; wanted at least 2, since one has no covariance; add videos"
            )
        return self.scatter / (self.count - 1)


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """The squared Fréchet distance of two Gaussians with the given statistics, >= 0 ("GANs trained by TTUR", Heusel et al. 2017).

    `|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2))` for covariances A and B.

    Raises:
        ValueError: The widths of the features differ, or one side has fewer than two.
    """
    _check_same_width(a, b)
    root = _matrix_root(a.covariance)
    # A^(1/2) B A^(1/2) has the eigenvalues of A B and is symmetric, so rounding makes no complex numbers.
    product = root @ b.covariance @ root
    cross = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * cross
    return max(((a.mean - b.mean).square().sum() + spread).item(), 0.0)


def _matrix_root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric matrix without negative eigenvalues, `[D, D]`."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def windows(frames: Tensor, length: int = WINDOW) -> Tensor:
    """Cuts frames `[T, H, W, 3]` into windows `[N, length, H, W, 3]` that do not overlap; frames left over are dropped.

    Raises:
        ValueError: There are fewer than `length` frames, or `length` is below 1.
    """
    if length < 1 or frames.ndim != 4 or len(frames) < length:
        raise ValueError(
            f"got frames of shape {list(frames.shape)} for windows of {length}; wanted [T, H, W, 3] with T >= length >= 1; "
            "make "
            "longer videos"
        )
    whole = len(frames) // length * length
    return rearrange(frames[:whole], "(n t) h w c -> n t h w c", t=length)


def _check_same_width(a: FeatureStatistics, b: FeatureStatistics) -> None:
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"got features of width {len(a.mean)} and {len(b.mean)}; wanted the same width; make both with the same extractor"
        )
