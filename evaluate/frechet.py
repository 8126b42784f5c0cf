"""The Fréchet distance between two sets of videos, and the features it may be measured on.

A distance means something only beside others on the same features, window length and number of videos.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor

from ..data import to_video
from ..tokenizer import VideoTokenizer
from .i3d import load_i3d

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


class FeatureExtractor(Protocol):
    """Turns each video into one vector."""

    name: str
    """Says which features they are; distances compare only where the names are the same."""
    comparable: bool
    """Whether figures may stand beside those of others, as they may on a detector that everyone uses."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Features float `[B, D]` of frames uint8 `[B, T, H, W, 3]`."""


class TokenizerFeatures:
    """Features from the encoder of a tokenizer, just before its head: small, quick, and at home in its domain.

    For each channel the mean and the standard deviation over space and time, and the mean absolute change from one latent frame
    to the next, so that a frozen video is far from a moving one. The order of frames shows in the last third alone: where objects
    are small, `warp_error` tells it sooner.

    As `VideoTokenizer.encode` does, the first frame is repeated in front until the frames fill whole groups; with a stride of 4,
    16 frames count as 17 then.

    Args:
        tokenizer: In eval mode; frames must be multiples of its spatial stride.
        name: Which tokenizer it is.
    """

    comparable = False

    def __init__(self, tokenizer: VideoTokenizer, name: str):
        self.tokenizer = tokenizer
        self.name = name

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Features float32 `[B, 3 * channels]` of frames uint8 `[B, T, H, W, 3]`, T >= 1.

        Raises:
            ValueError: Shape, size or dtype of the frames are not as above.
        """
        _check_frames(frames)
        self.tokenizer.frame_shape(*frames.shape[2:4])
        latents = self._encode(frames.to(self.tokenizer.encoder.head.weight.device)).float()
        std, mean = torch.std_mean(latents, dim=(1, 2, 3), correction=0)
        changes = latents.diff(dim=1).abs()
        motion = reduce(changes, "b t h w c -> b c", "mean") if changes.shape[1] else torch.zeros_like(mean)
        return torch.cat([mean, std, motion], dim=1)

    def _encode(self, frames: Tensor) -> Tensor:
        """What the head of the encoder would see, `[B, t, h, w, channels]`."""
        stride = self.tokenizer.temporal_stride
        missing = stride - 1 + -(frames.shape[1] - 1) % stride
        frames = torch.cat([frames[:, :1].expand(-1, missing, -1, -1, -1), frames], dim=1)
        encoder = self.tokenizer.encoder
        x = rearrange(to_video(frames), "b c t h w -> b t h w c").contiguous().to(encoder.head.weight.dtype)
        for down, stage in zip(encoder.downs, encoder.stages, strict=True):
            x = stage(down(x))
        return encoder.norm(x)


class I3DFeatures:
    """The answers of I3D, on which the Fréchet video distance (FVD) is measured.

    FVD is "Towards accurate generative models of video", Unterthiner et al. 2018: the scores of the 400 classes of Kinetics.
    `name` is the name of the file and the first 12 digits of its SHA-256, so that figures of different weights are not taken
    for each other.

    Args:
        path: Weights in safetensors; docs/evaluation.md says how to make the file from published ones.
        size: Rows and columns to which frames are resized, bilinearly.
        device: Where the network runs.

    Raises:
        ValueError: There is no such file, or it holds something else.
    """

    comparable = True

    def __init__(self, path: str | Path, size: int = 224, device: str | torch.device = "cpu"):
        path = Path(path)
        self.size, self.device = size, torch.device(device)
        self.network = load_i3d(path).to(self.device)
        self.name = f"{path.name}-{sha256(path.read_bytes()).hexdigest()[:12]}"

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Features float `[B, 400]` of frames uint8 `[B, 16, H, W, 3]`.

        Raises:
            ValueError: Shape or dtype of the frames are not as above.
        """
        _check_frames(frames)
        if frames.shape[1] != WINDOW:
            raise ValueError(
                f"got clips of {frames.shape[1]} frames; wanted {WINDOW}, as in published figures; cut with `windows`"
            )
        pictures = rearrange(frames.to(self.device).float(), "b t h w c -> (b t) c h w")
        if pictures.shape[2:] != (self.size, self.size):
            pictures = F.interpolate(pictures, size=(self.size, self.size), mode="bilinear", align_corners=False)
        video = rearrange(pictures, "(b t) c h w -> b c t h w", t=WINDOW).contiguous()
        return self.network(video / 127.5 - 1)


def _check_frames(frames: Tensor) -> None:
    if frames.dtype != torch.uint8 or frames.ndim != 5 or frames.shape[4] != 3 or 0 in frames.shape:
        raise ValueError(
            f"got frames of shape {list(frames.shape)} and {frames.dtype}; wanted uint8 [B, T, H, W, 3]; use `windows`"
        )


def _check_same_width(a: FeatureStatistics, b: FeatureStatistics) -> None:
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"got features of width {len(a.mean)} and {len(b.mean)}; wanted the same width; make both with the same extractor"
        )
