"""Clips side by side, with a line below that says which frames were made."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_GAP, _LINE = 2, 2  # pixels
_GIVEN, _MADE, _PAPER = (150, 150, 150), (213, 94, 0), 255


def side_by_side(clips: Sequence[Tensor], given: int, made: Sequence[bool]) -> Tensor:
    """Clips uint8 `[T, H, W, 3]` of one size as one clip, from left to right.

    Args:
        clips: What is shown.
        given: Frames that are given; the line below a clip is grey until then.
        made: Of each clip whether its later frames were made; the line below those is orange.
    """
    return torch.cat(
        [_panel(clip, given, is_made, index > 0) for index, (clip, is_made) in enumerate(zip(clips, made, strict=True))], dim=2
    )


def _panel(clip: Tensor, given: int, is_made: bool, has_gap: bool) -> Tensor:
    line = torch.tensor(_GIVEN, dtype=torch.uint8).repeat(len(clip), _LINE, clip.shape[2], 1)
    if is_made:
        line[given:] = torch.tensor(_MADE, dtype=torch.uint8)
    whole = torch.cat([clip, line], dim=1)
    return F.pad(whole, (0, 0, _GAP if has_gap else 0, 0), value=_PAPER)
