"""Random crops of the clips of another source: more to learn from few videos."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .clips import CaptionedClip, ClipSource


class RandomCrops(ClipSource):
    """Square crops of the clips of a source, at places and sizes drawn from a seed, each scaled to one size.

    Item i is a crop of clip i // copies, so the last items are of other clips than the first ones. Item i is a pure function of
    (seed, i, source). One crop serves all frames of a clip, so that its motion stays what it was. The truth about a scene
    (`CaptionedClip.scene`) is dropped, since it no longer fits.

    Args:
        source: Clips to crop, larger than `size`: such as a `VideoFolder` of size 80 for crops of 64.
        size: Rows and columns of the crops.
        copies: Crops of each clip, >= 1.
        mirror: Whether half of the crops are mirrored; not for captions that tell left from right.
        seed: >= 0; chooses the crops.

    Raises:
        ValueError: If the clips are smaller than the crops, a number is out of range, or clips with actions are to be mirrored.
    """

    def __init__(self, source: ClipSource, size: int = 64, copies: int = 8, mirror: bool = False, seed: int = 0):
        if size < 1 or copies < 1 or seed < 0:
            raise ValueError(f"got size {size}, copies {copies}, seed {seed}; wanted at least 1, 1 and 0")
        if min(source.height, source.width) < size:
            raise ValueError(
                f"got clips of {source.height} x {source.width} to crop {size} x {size} from; wanted clips at least as large; "
                "raise the `size` of the source within"
            )
        if source.action_space is not None:
            if mirror:
                raise ValueError("got mirror for clips with actions, which tell left from right; wanted mirror: false")
            self.action_space = source.action_space
        self.source, self.copies, self.mirror, self.seed = source, copies, mirror, seed
        self.height = self.width = size
        self.num_frames, self.fps = source.num_frames, source.fps

    def __len__(self) -> int:
        return len(self.source) * self.copies

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)} crops")
        index %= len(self)
        clip = self.source[index // self.copies]
        frames = self._crop(clip.frames, np.random.default_rng([self.seed, index]))
        return replace(clip, frames=frames, name=f"{clip.name}#{index % self.copies}", scene=None)

    @property
    def seconds_of_video(self) -> float:
        return self.source.seconds_of_video

    def summary(self) -> str:
        return f"{self.copies} crops of {self.height}x{self.width} from each of {self.source.summary()}"

    def _crop(self, frames: Tensor, rng: np.random.Generator) -> Tensor:
        """uint8 `[T, H, W, 3]` -> uint8 `[T, size, size, 3]`."""
        height, width = frames.shape[1:3]
        side = int(rng.integers(self.height, min(height, width) + 1))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        frames = frames[:, top : top + side, left : left + side]
        if self.mirror and rng.random() < 0.5:
            frames = frames.flip(2)
        if side == self.height:
            return frames.contiguous()
        pictures = rearrange(frames, "t h w c -> t c h w").float()
        pictures = F.interpolate(pictures, size=(self.height, self.width), mode="bilinear", antialias=True)
        return rearrange(pictures.round().clamp(0, 255).to(torch.uint8), "t c h w -> t h w c").contiguous()
