"""Single frames, consistency and motion: each figure must notice what spoils it."""

import pytest
import torch
from studies import figure, measured
from torch import Tensor

from framecast.evaluate import quality


def flickering(clip: Tensor) -> Tensor:
    clip = clip.clone()
    clip[10] = (clip[10].float() + 60).clamp(max=255).to(torch.uint8)
    return clip


def shuffled(clip: Tensor) -> Tensor:
    return clip[torch.randperm(len(clip), generator=torch.Generator().manual_seed(1))]


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (flickering, "consistency: flicker"),
        (shuffled, "consistency: flow-warped error"),
        (shuffled, "motion: jerk"),
    ],
)
def test_each_figure_of_quality_gets_worse_when_the_video_does(spoil, name):
    good, bad = (figure(measured(quality.quality, change), f"{name}, generated") for change in (None, spoil))
    assert bad > 1.2 * good + 0.01
