"""Telling from pixels what a frame of the sprite world is made of: the ground, the bar, and which pixels are of which colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..data.sprites import COLOURS

_PALETTE = np.array(list(COLOURS.values()), dtype=np.float32)
_LEAST_LIGHT = 34.0  # of 255, above the background
_LEAST_GLEAM = 6.0  # the same, for what tells of which colour brighter pixels beside it are
_LEAST_COSINE, _EDGE_COSINE = 0.94, 0.8  # between a pixel's colour and one of the palette: to be sure of it, and beside such
_BAR_SHARE, _BAR_WIDTHS = 0.8, (7, 24)  # of a column's pixels that must be grey; columns
_GREY, _LIGHT, _FLAT = 26, 22, 20  # of 255: how far apart the channels of the bar are, above the background, within a column

Bars = list[tuple[int, int] | None]
"""First column of the bar and the first one after it, for each frame; None if there is none."""


@dataclass(frozen=True)
class Spots:
    """The P pixels of some frames that are of a colour, each of a single one.

    Attributes:
        frame: int64 `[P]`, in order.
        colour: int64 `[P]`, which of `COLOURS`.
        place: int64 `[P]`, which pixel of the frame, row by row.
        share: float32 `[P]`, how much of the pixel is of the colour, above 0 to about 1.
    """

    frame: np.ndarray
    colour: np.ndarray
    place: np.ndarray
    share: np.ndarray


def planes_of(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 `[M, H, W, 3]`, channel by channel: `[3, M, H, W]`."""
    return np.ascontiguousarray(frames.transpose(3, 0, 1, 2))


def unmix(planes: np.ndarray, behind: np.ndarray) -> Spots:
    """How much of each pixel is of which colour.

    A pixel at the edge of an object lies between background and colour, and so does a pixel of a faded object. Its colour is told
    by its direction from the background, which is the median of its frame, and by the brighter pixels around it.

    Args:
        planes: uint8 `[3, M, H, W]`.
        behind: bool `[M, W]`, true in the columns of the bar.
    """
    frames, height, width = planes.shape[1:]
    ground = _medians(planes)  # [3, M]
    differences = planes - ground[:, :, None, None].astype(np.int16)
    may_gleam = (np.abs(differences).max(axis=0) > _LEAST_GLEAM / np.sqrt(3)) & ~behind[:, None, :]
    pixel = np.flatnonzero(may_gleam)  # the few that are not background
    above = differences.reshape(3, -1)[:, pixel].astype(np.float32)
    frame, lengths = pixel // (height * width), np.sqrt(np.square(above).sum(axis=0))
    directions = _PALETTE - ground.T[:, None]  # [M, colours, 3]
    reach = np.sqrt(np.square(directions).sum(axis=2))
    along = above.T @ _PALETTE.T - (above * ground[:, frame]).sum(axis=0)[:, None]  # [P, colours]
    cosine = along / np.maximum(lengths[:, None] * reach[frame], 1e-6)
    weights = np.where(lengths > _LEAST_GLEAM, np.square(lengths), 0)
    sure = weights[:, None] * np.maximum(cosine - _LEAST_COSINE, 0)
    bright = np.flatnonzero(lengths > _LEAST_LIGHT)
    around = _around(sure, pixel, pixel[bright], (frames, height, width))  # edges belong to what they are the edge of
    nearest = around.argmax(axis=1)
    is_colour = (around.max(axis=1) > 0) & (cosine[bright, nearest] > _EDGE_COSINE)
    bright, nearest = bright[is_colour], nearest[is_colour]
    share = along[bright, nearest] / np.square(reach[frame[bright], nearest])
    return Spots(frame[bright], nearest, pixel[bright] % (height * width), share)


def _medians(planes: np.ndarray) -> np.ndarray:
    """The lower median of each frame of each plane, uint8 `[3, M, H, W]`: float32 `[3, M]`."""
    pixels = planes.reshape(*planes.shape[:2], -1)
    middle = (pixels.shape[2] - 1) // 2
    return np.partition(pixels, middle, axis=2)[:, :, middle].astype(np.float32)


def _around(values: np.ndarray, pixel: np.ndarray, middle: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Sums over the 5 x 5 pixels around some pixels of M frames, whose borders meet.

    Args:
        values: `[P, N]`, of the pixels `pixel` `[P]`; all others are 0.
        middle: int64 `[Q]`, around which pixels.
        shape: M, H and W.
    """
    frames, height, width = shape
    row_of = np.full(frames * height * width, len(values), np.int32)
    row_of[pixel] = np.arange(len(pixel), dtype=np.int32)
    frame, row, column = np.unravel_index(middle, shape)
    steps = np.arange(-2, 3)
    rows, columns = (row[:, None] + steps) % height, (column[:, None] + steps) % width
    near = ((frame[:, None] * height + rows) * width)[:, :, None] + columns[:, None, :]
    table = torch.from_numpy(np.concatenate([values, np.zeros((1, values.shape[1]), values.dtype)]))
    return F.embedding_bag(torch.from_numpy(row_of[near.reshape(-1, len(steps) ** 2)]), table, mode="sum").numpy()


def find_bars(planes: np.ndarray) -> Bars:
    """The bar in each frame uint8 `[3, M, H, W]`."""
    height = planes.shape[2]
    tall = np.concatenate([planes[:, :, -2:], planes, planes[:, :, :2]], axis=2).astype(np.int16)
    rows = [tall[:, :, at : at + height] for at in range(5)]
    sums = sum(rows[1:], rows[0])  # of five rows; whole numbers are quicker than their means
    light = sums.sum(axis=0, dtype=np.int16)
    grey = sums.max(axis=0) - sums.min(axis=0) < 5 * _GREY
    lit = light > light.min(axis=(1, 2), keepdims=True) + 15 * _LIGHT  # the darkest pixel is sooner found than the median
    bars: Bars = [None] * len(light)
    some = np.flatnonzero(_can_be_bar(grey & lit))
    if not len(some):
        return bars
    for at, bar in zip(some, _find_bars(grey[some], light[some] / np.float32(15)), strict=True):
        bars[at] = bar
    return bars


def _find_bars(grey: np.ndarray, light: np.ndarray) -> Bars:
    """The bars in frames of which it is known which pixels are grey and how light all are, `[M, H, W]`."""
    grey = grey & (light > np.median(light, axis=(1, 2), keepdims=True) + _LIGHT)
    flat = np.abs(light - np.median(light, axis=1, keepdims=True)) < _FLAT
    columns = (grey & flat).mean(axis=1) > _BAR_SHARE
    return [_widest_run(row) if can else None for row, can in zip(columns, _can_be_bar(grey), strict=True)]


def _can_be_bar(wanted: np.ndarray) -> np.ndarray:
    """In which frames enough columns are of pixels as wanted, bool `[M, H, W]`."""
    return np.asarray((wanted.mean(axis=1) > _BAR_SHARE).sum(axis=1) >= _BAR_WIDTHS[0])


def _widest_run(columns: np.ndarray) -> tuple[int, int] | None:
    """The widest run of columns, bool `[W]`, that is as wide as a bar can be."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(np.int8), [0]])))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if _BAR_WIDTHS[0] <= b - a <= _BAR_WIDTHS[1]]
    return max(runs, key=lambda run: run[1] - run[0]) if runs else None


def columns_behind(bars: Sequence[tuple[int, int] | None], width: int) -> np.ndarray:
    """bool `[M, W]`: the columns of the bar and two beside it on either side, where its edge is mixed with what is behind."""
    columns = np.zeros((len(bars), width), dtype=bool)
    for row, bar in zip(columns, bars, strict=True):
        if bar is not None:
            row[max(0, bar[0] - 2) : bar[1] + 2] = True
    return columns
