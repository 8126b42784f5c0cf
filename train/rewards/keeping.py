"""Rewards for what has to stay as it was: an object behind a bar, and the looks of objects in a long stream."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...data.sprites import PASSES, ObjectDescription, parse_caption
from ...evaluate.persistence import CHANGED, ELSEWHERE, LOST, NOT_HIDDEN, SAME, passing
from ...evaluate.reading import Reading, SceneReader
from .reward import MadeClips, Reward
from .scene import whole_caption

_WORTH = {NOT_HIDDEN: 0.0, LOST: 0.25, ELSEWHERE: 0.5, CHANGED: 0.5, SAME: 1.0}
_MOSTLY = 0.8  # of the frames of a window in which an object has to be seen


class PersistenceReward(Reward):
    """Whether the one object of a prompt goes behind a bar and comes out as it was: 1, or less for a part of that.

    Prompts of which nothing is to pass behind a bar are worth 0, so they teach nothing: take a source that has that motion
    alone, one object, and clips of 49 frames or more.

    Args:
        radii: Radii of small and of large objects, in pixels.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0)):
        self.reader = SceneReader(radii)

    def judge(self, clips: MadeClips) -> Tensor:
        prompts = map(whole_caption, clips.sources)
        return torch.tensor([self._worth(prompt, clip) for prompt, clip in zip(prompts, clips.frames, strict=True)])

    def _worth(self, prompt: str, clip: Tensor) -> float:
        told = parse_caption(prompt)
        if len(told) != 1 or told[0].motion != PASSES:
            return 0.0
        return _WORTH[passing(self.reader, prompt, clip)]


class IdentityReward(Reward):
    """In what share of a long clip its objects have the looks of its prompt, and there are no others.

    A clip is read window by window. An object counts that is seen most of the time, so take motions that keep it in sight.

    Args:
        radii: Radii of small and of large objects, in pixels.
        window: Frames that are read together, at least 4.

    Raises:
        ValueError: The window is shorter.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0), window: int = 16):
        if window < 4:
            raise ValueError(f"got a window of {window} frames; wanted at least 4")
        self.reader, self.window = SceneReader(radii), window

    def judge(self, clips: MadeClips) -> Tensor:
        length = clips.frames.shape[1]
        if length < self.window:
            raise ValueError(
                f"got clips of {length} frames and a window of {self.window}; wanted a shorter window or longer clips"
            )
        windows = clips.frames.unfold(1, self.window, self.window).movedim(-1, 2)  # [N, W, window, H, W, 3]
        readings = iter(self.reader.read_all(windows.flatten(0, 1)))
        told = [parse_caption(whole_caption(source)) for source in clips.sources]
        return torch.tensor([np.mean([_as_told(next(readings), looks) for _ in range(windows.shape[1])]) for looks in told])


def _as_told(reading: Reading, told: Sequence[ObjectDescription]) -> float:
    """How much of a window is as told, 0 to 1: colour, shape and size of each object, and their number."""
    return float(np.mean([_alike(reading, item) for item in told])) * (1.0 if reading.count == len(told) else 0.5)


def _alike(reading: Reading, told: ObjectDescription) -> float:
    found = reading.find(told.colour)
    if found is None or found.visible.mean() < _MOSTLY:
        return 0.0
    return 0.2 + 0.6 * (found.look.shape == told.shape) + 0.2 * (told.size in (None, found.look.size))
