"""Inverse dynamics: a small network that is trained on true video and names the action from a few frames around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .choices import Choice, Classes
from .trying import Rows

BEFORE, AFTER = 2, 3
"""Frames before the one that an action leads to, and after it: real cars answer up to three frames late."""
_FRAMES = BEFORE + 1 + AFTER
_STEPS, _BATCH, _RATE = 500, 48, 2e-3
_SIDE = 64  # pixels, to which larger frames are reduced
_WIDTHS = (24, 48, 64, 96)


@dataclass(frozen=True, eq=False)
class Shown:
    """Video and the actions that led to it.

    Attributes:
        frames: uint8 `[T, H, W, 3]`.
        actions: float32 `[T, A]`.
    """

    frames: Tensor
    actions: Rows


class InverseDynamics(nn.Module):
    """Names what an action decides from the frames around it, see `BEFORE` and `AFTER`.

    Args:
        choices: What an action decides.
    """

    def __init__(self, choices: Sequence[Choice]):
        super().__init__()
        self.choices = tuple(choices)
        width = 3 + 2 * _FRAMES - 1  # one frame in colour, the brightness of all, and what changes between them
        layers: list[nn.Module] = []
        for size in _WIDTHS:
            layers += [
                nn.Conv2d(width, size, 5 if not layers else 3, 2, 2 if not layers else 1),
                nn.GroupNorm(8, size),
                nn.SiLU(),
            ]
            width = size
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.1))
        self.heads = nn.ModuleList(nn.Linear(16 * width, len(choice.labels)) for choice in choices)

    def forward(self, windows: Tensor) -> list[Tensor]:
        """Logits `[B, classes]` of each choice, of windows uint8 `[B, 6, H, W, 3]`."""
        levels = windows.float() / 127.5 - 1
        bright = levels.mean(dim=4)  # [B, 6, H, W]
        colour = rearrange(levels[:, BEFORE], "b h w c -> b c h w")
        found = self.body(torch.cat([colour, bright, 4 * bright.diff(dim=1)], dim=1))
        return [head(found) for head in self.heads]

    @torch.inference_mode()
    def name(self, frames: Tensor) -> list[Classes]:
        """The likeliest class of each choice for each frame that has enough frames around it.

        Args:
            frames: uint8 `[T, H, W, 3]`.

        Returns:
            For each choice int64 `[T - 5]`, of the frames from `BEFORE` on; empty if there are too few frames.
        """
        windows = _windows(reduced(frames))
        if not len(windows):
            return [np.zeros(0, np.int64) for _ in self.choices]
        parts = [self(part) for part in windows.split(_BATCH)]
        return [torch.cat([part[at] for part in parts]).argmax(dim=1).numpy() for at in range(len(self.choices))]


def true_classes(choice: Choice, actions: Rows) -> Classes:
    """The classes that `InverseDynamics.name` should give for video with these actions `[T, A]`."""
    return choice.classes(actions)[BEFORE : max(len(actions) - AFTER, BEFORE)]


def train_inverse(
    clips: Sequence[Shown], choices: Sequence[Choice], progress: Callable[[float], None], seed: int = 0, steps: int = _STEPS
) -> InverseDynamics:
    """Trains a network on true video.

    Args:
        clips: Video with actions, of at least six frames each.
        choices: What it shall name.
        progress: Is told the share that is done.
        seed: Of its weights and of the order of the windows.
        steps: Of 64 windows each.
    """
    videos = [reduced(clip.frames) for clip in clips]
    places = torch.tensor([(at, start) for at, video in enumerate(videos) for start in range(len(video) - _FRAMES + 1)])
    truths = [np.concatenate([true_classes(choice, clip.actions) for clip in clips]) for choice in choices]
    labels = torch.from_numpy(np.stack(truths, axis=1))  # [windows, choices]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = InverseDynamics(choices).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.1)
        for step in range(steps):
            rows = torch.randint(len(places), (_BATCH,))
            windows = torch.stack([videos[at][start : start + _FRAMES] for at, start in places[rows].tolist()])
            losses = [
                F.cross_entropy(logits, labels[rows, at], ignore_index=-1)
                for at, logits in enumerate(net(windows))
                if (labels[rows, at] >= 0).any()
            ]
            if losses:
                optimizer.zero_grad()
                torch.stack(losses).mean().backward()
                optimizer.step()
            schedule.step()
            progress((step + 1) / steps)
    return net.eval()


def _windows(frames: Tensor) -> Tensor:
    """All runs of six frames, `[N, 6, H, W, 3]`, without a copy."""
    if len(frames) < _FRAMES:
        return frames.new_zeros(0, _FRAMES, *frames.shape[1:])
    return rearrange(frames.unfold(0, _FRAMES, 1), "n h w c t -> n t h w c")


def reduced(frames: Tensor) -> Tensor:
    """Frames whose shorter side is at most 64 pixels."""
    short = min(frames.shape[1:3])
    if short <= _SIDE:
        return frames
    size = [round(side * _SIDE / short) for side in frames.shape[1:3]]
    small = F.interpolate(rearrange(frames, "t h w c -> t c h w").float(), size=size, mode="area")
    return rearrange(small.round().to(torch.uint8), "t c h w -> t h w c")
