"""Finding which picture fits an object best, and where."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .templates import Brush, Templates

REACH = 4  # pixels around the middle of a crop in which an object is looked for
_FRAMES = 64  # at a time, so that their windows stay in the processor's cache


@dataclass(frozen=True)
class Found:
    """Where each of K pictures fits best in each of F frames.

    Attributes:
        misfit: `[F, K]`, 0 to 1.
        shift: int64 `[F, K, 2]`, how far from the middle, (x, y) in pixels.
        shown: `[F, K]`, the share of the picture that nothing covers.
    """

    misfit: Tensor
    shift: Tensor
    shown: Tensor


def match(templates: Templates, seen: Tensor, free: Tensor) -> Found:
    """Looks for every picture at most `REACH` pixels from the middle of each crop.

    Args:
        templates: The pictures.
        seen: float32 `[F, side, side]`, how much of each pixel is of the object; the side is `2 (half + REACH) + 1`.
        free: bool `[F, side, side]`, false where something else covers the object.
    """
    frames, pictures = len(seen), len(templates.pictures)
    found = Found(torch.empty(frames, pictures), torch.empty(frames, pictures, 2).long(), torch.ones(frames, pictures))
    is_free = (free | ~_cover(templates)).flatten(1).all(dim=1)  # then every picture is whole
    for some in is_free.nonzero()[:, 0].split(_FRAMES):
        _search(templates, seen[some], None, some, found)
    for some in (~is_free).nonzero()[:, 0].split(_FRAMES):
        _search(templates, seen[some], free[some].float(), some, found)
    return found


def _cover(templates: Templates) -> Tensor:
    """The pixels of a crop that a picture can cover: bool `[side, side]`."""
    cover = F.pad(templates.cover, [REACH] * 4).float()
    return F.max_pool2d(cover[None], 2 * REACH + 1, stride=1, padding=REACH)[0] > 0


def _search(templates: Templates, seen: Tensor, room: Tensor | None, frames: Tensor, found: Found) -> None:
    """Looks for every picture in some crops; notes what it finds in these frames. `room` is None if nothing is covered."""
    if not len(frames):
        return
    side = 2 * REACH + 1
    pixels = seen.flatten(1).T.contiguous()  # [pixels, F], so that the frames of a pixel are copied at once
    spaces = None if room is None else room.flatten(1).T.contiguous()
    inside = torch.ones(side, seen.shape[1]).triu().tril(seen.shape[1] - side)  # which rows, or columns, a window has
    own = (inside @ seen.square() @ inside.T).flatten(1).T[:, None]  # [places, 1, F]
    parts = [_try(brush, brush.windows(seen.shape[1], side), pixels, spaces, own) for brush in templates.brushes]
    fit, place, shown = (torch.cat(part).T for part in zip(*parts, strict=True))
    found.misfit[frames], found.shown[frames] = 1 - fit, shown
    found.shift[frames] = torch.stack([place % side - REACH, place // side - REACH], dim=2)


def _try(brush: Brush, windows: Tensor, pixels: Tensor, spaces: Tensor | None, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each picture, `[k, F]`: how well it fits at its best place, which place that is, and how much of it is shown there."""
    theirs = brush.masses[:, None]  # [k, 1]: where nothing covers it, a picture is whole
    if spaces is not None:
        theirs = brush.pictures.square() @ _take(spaces, windows)  # [places, k, F]
    fits = (2 * brush.pictures) @ _take(pixels, windows)
    best, place = fits.add_(1).div_(own + (theirs + 1)).max(dim=0)
    whole = theirs.expand_as(fits).gather(0, place[None])[0]
    return best, place, whole / brush.masses[:, None]


def _take(pixels: Tensor, windows: Tensor) -> Tensor:
    """Some pixels `[places, n]` of all `[pixels, F]`: `[places, n, F]`."""
    return pixels.index_select(0, windows.flatten()).unflatten(0, windows.shape)
