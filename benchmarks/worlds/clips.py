"""Episodes of a recording as tensors, and windows drawn from them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from framecast.data import to_video
from framecast.data.worlds import Recording
from framecast.progress import tracked
from framecast.stride import Stride


@dataclass(frozen=True)
class Clips:
    """Clips of one length.

    Attributes:
        frames: uint8 `[N, T, H, W, 3]`.
        actions: float32 `[N, T, A]`, NaN where unknown.
        fps: Frames per second.
    """

    frames: Tensor
    actions: Tensor
    fps: float

    def __len__(self) -> int:
        return len(self.frames)

    def video(self, rows: slice = slice(None)) -> Tensor:
        """`[N, 3, T, H, W]` in [-1, 1]."""
        return torch.stack([to_video(frames) for frames in self.frames[rows]])

    def grouped(self, stride: int) -> Tensor:
        """Actions of latent frames, `[N, F, stride, A]`."""
        return torch.stack([Stride(stride).group(actions) for actions in self.actions])

    def cut(self, start: int, length: int) -> "Clips":
        """The same stretch of every clip; what led to its first frame is unknown."""
        actions = self.actions[:, start : start + length].clone()
        actions[:, 0] = torch.nan
        return Clips(self.frames[:, start : start + length], actions, self.fps)

    def draw(self, number: int, length: int, generator: torch.Generator) -> "Clips":
        """Stretches of random clips from random frames on."""
        rows = torch.randint(len(self), (number,), generator=generator).tolist()
        starts = torch.randint(self.frames.shape[1] - length + 1, (number,), generator=generator).tolist()
        frames = torch.stack([self.frames[row, start : start + length] for row, start in zip(rows, starts, strict=True)])
        actions = torch.stack([self.actions[row, start : start + length] for row, start in zip(rows, starts, strict=True)])
        return Clips(frames, actions, self.fps).cut(0, length)


def read_clips(folder: Path, least: int) -> Clips:
    """The episodes of a recording that have `least` frames, cut to the length of the shortest of them.

    Raises:
        ValueError: There is none.
    """
    recording = Recording(folder)
    episodes = [episode for episode in recording if len(episode.actions) >= least]
    if not episodes:
        raise ValueError(f"got {folder}, which has no episode of {least} frames; record longer ones")
    length = min(len(episode.actions) for episode in episodes)
    frames = [torch.from_numpy(episode.frames()[:length]) for episode in tracked(episodes, f"reading {folder}")]
    actions = torch.stack([torch.from_numpy(episode.actions[:length]) for episode in episodes])
    return Clips(torch.stack(frames), actions, recording.fps)
