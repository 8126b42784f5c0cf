"""Features of videos: one vector for each, on which distances between sets of videos are measured."""

from hashlib import sha256
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor

from ..data import to_video
from ..tokenizer import VideoTokenizer
from .frechet import WINDOW
from .i3d import load_i3d


class FeatureExtractor(Protocol):
    """Turns each video into one vector."""

    name: str
    """Says which features they are; distances compare only if the names are the same."""
    comparable: bool
    """Whether figures may stand beside those of others, as they may on a detector that everyone uses."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Features float `[B, D]` of frames uint8 `[B, T, H, W, 3]`."""


class TokenizerFeatures:
    """Features from the encoder of a tokenizer, just before its head: small, quick, and at home in its domain.

    The features are, for each channel, the mean and the standard deviation over space and time, and the mean absolute change from
    one latent frame to the next. So a frozen video is far from a moving one. The order of frames shows in the last third alone:
    if objects are small, `warp_error` tells it sooner.

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
        missing = stride - 1 + self.tokenizer.stride.missing(frames.shape[1])
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
