"""`SceneReward`: whether clips of the sprite world show what their captions say, in degrees."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...data import CaptionedClip
from ...data.sprites import Scene, caption_scene
from ...evaluate.adherence import ClipVerdict, Judge, ObjectVerdict
from ...evaluate.reading import SceneReader
from .reward import MadeClips, Reward


class SceneReward(Reward):
    """The scene reader's verdict: 1 if all is right, and less for everything that is not, down to about 0.

    Right are colour, shape, size and motion of each object, and their number. So that there is something to learn before all is
    right, each part counts by itself; a look that changes on the way, or a picture that fits no look well, costs a little.

    Args:
        radii: Radii of small and of large objects, in pixels.
        speeds: Pixels per frame and axis that objects have.
        whole: Share of the reward that only clips get in which all is right, in [0, 1].

    Raises:
        ValueError: The share is out of range.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0), speeds: tuple[float, ...] = (1.0,), whole: float = 0.3):
        if not 0 <= whole <= 1:
            raise ValueError(f"got whole {whole}; wanted a share from 0 to 1")
        self.reader = SceneReader(radii)
        self.referee, self.whole = Judge(self.reader.templates, speeds), whole

    def judge(self, clips: MadeClips) -> Tensor:
        values = []
        for reading, source in zip(self.reader.read_all(clips.frames), clips.sources, strict=True):
            verdict = self.referee.judge(reading, whole_caption(source))
            values.append((1 - self.whole) * degree(verdict) + self.whole * verdict.right)
        return torch.tensor(values)


def whole_caption(source: CaptionedClip) -> str:
    """What the whole clip shows, in one caption, also if the prompt changes on the way."""
    if isinstance(source.scene, Scene):
        return caption_scene(replace(source.scene, timeline=False))[0].text
    return source.captions[0].text


def degree(verdict: ClipVerdict) -> float:
    """How much of a clip is right, about 0 to 1: the mean over its objects, of which a fifth is their number."""
    return 0.8 * float(np.mean([_degree(item) for item in verdict.objects])) + 0.2 * verdict.count


def _degree(item: ObjectVerdict) -> float:
    marks = [float(item.colour), float(item.shape), float(item.motion)]
    if not np.isnan(item.size):
        marks.append(item.size)
    return 0.8 * float(np.mean(marks)) + 0.1 * item.same_look + 0.1 * (1 - item.misfit)
