"""The maximum mean discrepancy of pairs of videos: how far two kinds of videos are apart, of few pairs."""

import numpy as np
import torch
from torch import Tensor

from .figures import Figure, of_draws


class PairedMMD:
    """The squared maximum mean discrepancy of features, without bias ("Demystifying MMD GANs", Binkowski et al. 2018).

    Its kernel is the cubic one of the kernel inception distance, on features that have mean 0 and deviation 1 over both kinds.
    The i-th videos of both kinds belong together, such as a true future and one that was made of the same beginning. So a
    video is compared only with those of other pairs (the U-statistic of Gretton et al. 2012). The figure is 0 in the mean if
    both kinds are one, and may be below it.

    Args:
        made: Features float `[N, D]`, N >= 2.
        true: As `made`, pair by pair.

    Raises:
        ValueError: The shapes differ, there are fewer than two pairs, or a feature is not finite.
    """

    def __init__(self, made: Tensor, true: Tensor):
        if made.shape != true.shape or made.ndim != 2 or len(made) < 2 or not (made.isfinite() & true.isfinite()).all():
            raise ValueError(
                f"got features of shapes {list(made.shape)} and {list(true.shape)}; wanted finite [N, D] of both, N >= 2; give "
                "more videos"
            )
        both = torch.cat([made, true]).double()  # of both, so that of one kind neither is nearer to the origin
        mean, deviation = both.mean(dim=0), both.std(dim=0).clamp(min=1e-6)
        a, b = ((features.double() - mean) / deviation for features in (made, true))
        cross = _kernel(a, b)
        self._h = (_kernel(a, a) + _kernel(b, b) - cross - cross.T).numpy()

    @property
    def num_pairs(self) -> int:
        """How many pairs there are."""
        return len(self._h)

    def __call__(self, draw: np.ndarray) -> float:
        """The figure of some of the pairs, by their places `[N]`; a pair that is drawn twice is not compared with itself."""
        weights = np.bincount(draw, minlength=len(self._h)).astype(np.float64)
        both = np.outer(weights, weights)
        np.fill_diagonal(both, 0.0)
        return float((both * self._h).sum() / both.sum()) if both.any() else float("nan")

    def figure(self, name: str, **attributes) -> Figure:
        """The figure of all pairs, with the interval that other draws of pairs would give."""
        return of_draws(name, self, self.num_pairs, **attributes)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """Float64 `[N, M]`."""
    return (a @ b.T / a.shape[1] + 1) ** 3
