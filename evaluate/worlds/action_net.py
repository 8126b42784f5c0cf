"""A small network that is trained on true video and names an action: what was done, from frames around it, or what is done next.

The first is inverse dynamics; the second imitates whoever recorded the video.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .choices import Choice, Classes
from .trying import Rows

_STEPS, _BATCH, _RATE = 500, 48, 2e-3
_SIDE = 64  # pixels, to which larger frames are reduced
_WIDTHS = (24, 48, 64, 96)


@dataclass(frozen=True)
class Window:
    """Which frames an action is named from.

    Attributes:
        frames: How many, one after the other.
        at: Which of them the action leads to; `frames` is the one that comes next and is not seen.
    """

    frames: int
    at: int

    @property
    def span(self) -> int:
        """Frames with the one that the action leads to."""
        return max(self.frames, self.at + 1)


AROUND = Window(frames=6, at=2)
"""What was done. Real cars answer up to three frames late."""
AHEAD = Window(frames=4, at=4)
"""What is done next."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Video and the actions that led to it.

    Attributes:
        frames: uint8 `[T, H, W, 3]`.
        actions: float32 `[T, A]`.
    """

    frames: Tensor
    actions: Rows


class ActionNet(nn.Module):
    """Names what an action decides.

    Args:
        choices: What an action decides.
        window: Which frames it is named from.
    """

    def __init__(self, choices: Sequence[Choice], window: Window = AROUND):
        super().__init__()
        self.choices, self.window = tuple(choices), window
        width = 3 + 2 * window.frames - 1  # one frame in colour, the brightness of all, and what changes between them
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
        """Logits `[B, classes]` of each choice, of windows uint8 `[B, frames, H, W, 3]`."""
        levels = windows.float() / 127.5 - 1
        bright = levels.mean(dim=4)  # [B, frames, H, W]
        colour = rearrange(levels[:, min(self.window.at, self.window.frames - 1)], "b h w c -> b c h w")
        found = self.body(torch.cat([colour, bright, 4 * bright.diff(dim=1)], dim=1))
        return [head(found) for head in self.heads]

    def windows_of(self, frames: Tensor) -> Tensor:
        """All windows of a clip uint8 `[T, H, W, 3]`, as `forward` takes them: `[T - frames + 1, frames, H, W, 3]`."""
        return _windows(reduced(frames), self.window.frames)

    @torch.inference_mode()
    def name(self, frames: Tensor) -> list[Classes]:
        """The likeliest class of each choice for each frame that has enough frames around it.

        Args:
            frames: uint8 `[T, H, W, 3]`.

        Returns:
            For each choice int64 `[T - frames + 1]`, of the frames from `window.at` on; empty if there are too few frames.
        """
        windows = self.windows_of(frames)
        if not len(windows):
            return [np.zeros(0, np.int64) for _ in self.choices]
        parts = [self(part) for part in windows.split(_BATCH)]
        return [torch.cat([part[at] for part in parts]).argmax(dim=1).numpy() for at in range(len(self.choices))]


def true_classes(choice: Choice, actions: Rows, window: Window = AROUND) -> Classes:
    """The classes that `ActionNet.name` should give for video with these actions `[T, A]`, but for the action that comes next."""
    return choice.classes(actions)[window.at : max(len(actions) - window.span + 1 + window.at, window.at)]


def train_action_net(
    clips: Sequence[Shown],
    choices: Sequence[Choice],
    progress: Callable[[float], None],
    window: Window = AROUND,
    seed: int = 0,
    steps: int = _STEPS,
) -> ActionNet:
    """Trains a network on true video.

    Args:
        clips: Video with actions, of at least `window.span` frames each.
        choices: What it shall name.
        progress: Is told the share that is done.
        window: From which frames.
        seed: Of its weights and of the order of the windows.
        steps: Of 48 windows each.
    """
    videos = [reduced(clip.frames) for clip in clips]
    places = torch.tensor([(at, start) for at, video in enumerate(videos) for start in range(len(video) - window.span + 1)])
    truths = [np.concatenate([true_classes(choice, clip.actions, window) for clip in clips]) for choice in choices]
    labels = torch.from_numpy(np.stack(truths, axis=1))  # [windows, choices]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = ActionNet(choices, window).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.1)
        for step in range(steps):
            rows = torch.randint(len(places), (_BATCH,))
            windows = torch.stack([videos[at][start : start + window.frames] for at, start in places[rows].tolist()])
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


def _windows(frames: Tensor, length: int) -> Tensor:
    """All runs of so many frames, `[N, length, H, W, 3]`, without a copy."""
    if len(frames) < length:
        return frames.new_zeros(0, length, *frames.shape[1:])
    return rearrange(frames.unfold(0, length, 1), "n h w c t -> n t h w c")


def reduced(frames: Tensor) -> Tensor:
    """Frames whose shorter side is at most 64 pixels."""
    short = min(frames.shape[1:3])
    if short <= _SIDE:
        return frames
    size = [round(side * _SIDE / short) for side in frames.shape[1:3]]
    small = F.interpolate(rearrange(frames, "t h w c -> t c h w").float(), size=size, mode="area")
    return rearrange(small.round().to(torch.uint8), "t c h w -> t h w c")
