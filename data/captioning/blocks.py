"""Block matching: how far each part of a picture moves until the next picture."""

from dataclasses import dataclass

import numpy as np
from einops import rearrange, reduce
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIZE = 10
"""Rows and columns of a block, in pixels; even."""
STEP = 8
"""Pixels from a block to the next one, so that blocks overlap a little; even."""
REACH = 18
"""Pixels that a block is looked for, in each direction."""
_COARSE = REACH // 2 - 1  # the same in the picture of half the size; one more is left to the fine search
_FINE = np.stack(np.meshgrid([-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2]), -1).reshape(-1, 2)  # (x, y)
_NEAR = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), -1).reshape(-1, 2)
_LEAST_TEXTURE = 6.0  # levels a pixel; the gradient, in its weaker direction, that makes a match certain
_AS_GOOD = 0.3  # levels by which rest may fit worse and is still taken


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of a picture and their matches in the next one.

    Attributes:
        places: float32 `[N, 2]`, centres as (x, y) in pixels, counted from the centre of the picture.
        shifts: float32 `[N, 2]`, where each went, (x, y) in pixels, below a pixel by where two lines meet.
        certain: bool `[N]`, whether there is texture to match by, in both directions, and a match within reach.
        errors: float32 `[N]`, mean difference of the match in levels.
        pictures: The blocks `[N, SIZE, SIZE]`, and all windows of the next picture, `REACH` pixels wider on each side.
        corners: int `[N, 2]`, (x, y) of the upper left pixel of each block.
    """

    places: Floats
    shifts: Floats
    certain: NDArray[np.bool_]
    errors: Floats
    pictures: tuple[Floats, Floats]
    corners: NDArray[np.int64]

    def error_at(self, shifts: Floats) -> Floats:
        """float32 `[N]`: the least difference in levels within a pixel of given shifts `[N, 2]`."""
        near = np.round(np.clip(shifts, 1 - REACH, REACH - 1)).astype(int)
        return _errors(*self.pictures, self.corners, near[:, None] + _NEAR).min(1)

    def error_at_rest(self) -> Floats:
        """float32 `[N]`: the difference in levels without any shift."""
        return _errors(*self.pictures, self.corners, np.zeros((len(self.corners), 1, 2), int))[:, 0]


def match_blocks(before: Floats, after: Floats) -> Blocks:
    """Looks for each block of a picture in the next one by the least sum of absolute differences: at half the size, then nearby.

    Args:
        before: Greys `[H, W]` in levels, of even height and width, at least three blocks wide and high.
        after: The next picture, of the same size.
    """
    rows, columns = (np.arange((side - SIZE) // STEP + 1) * STEP for side in before.shape)
    x, y = np.meshgrid(columns, rows)
    corners = np.stack([x.ravel(), y.ravel()], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(after, REACH, mode="edge"), (SIZE, SIZE))
    blocks = np.lib.stride_tricks.sliding_window_view(before, (SIZE, SIZE))[y.ravel(), x.ravel()]
    coarse = 2 * _coarse_shifts(_halved(before), _halved(after))
    whole, errors = _fine_shifts(blocks, windows, corners, coarse)
    inside = np.abs(whole).max(1) < REACH - 1
    shifts = np.where(inside[:, None], whole, 0) + _below_a_pixel(blocks, windows, corners, np.where(inside[:, None], whole, 0))
    places = corners + (SIZE - 1) / 2 - (np.array(before.shape[::-1]) - 1) / 2
    certain = inside & (_texture(before, corners) > _LEAST_TEXTURE)
    return Blocks(places.astype(np.float32), shifts.astype(np.float32), certain, errors, (blocks, windows), corners)


def _halved(picture: Floats) -> Floats:
    return reduce(picture, "(h p) (w q) -> h w", "mean", p=2, q=2)


def _coarse_shifts(before: Floats, after: Floats) -> NDArray[np.int64]:
    """Whole shifts `[N, 2]` in pictures of half the size."""
    side = 2 * _COARSE + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(after, _COARSE, mode="edge"), before.shape)
    sums = [_block_sums(np.abs(windows[number // side, number % side] - before)) for number in range(side * side)]
    rows, columns = np.divmod(np.stack(sums).argmin(0), side)
    return np.stack([columns - _COARSE, rows - _COARSE], axis=1)


def _block_sums(values: Floats) -> Floats:
    """Sums `[N]` over the blocks of a picture of half the size, rows and columns one after the other."""
    size, step = SIZE // 2, STEP // 2
    columns = (values.shape[1] - size) // step + 1
    strips = np.sum([values[:, offset : offset + step * (columns - 1) + 1 : step] for offset in range(size)], axis=0)
    rows = (values.shape[0] - size) // step + 1
    return np.sum([strips[offset : offset + step * (rows - 1) + 1 : step] for offset in range(size)], axis=0).ravel()


def _errors(blocks: Floats, windows: Floats, corners: NDArray, shifts: NDArray) -> Floats:
    """Mean differences `[N, S]` at whole shifts `[N, S, 2]`, (x, y)."""
    x, y = np.moveaxis(corners[:, None] + shifts + REACH, -1, 0)
    return np.abs(windows[y, x] - blocks[:, None]).mean((2, 3))


def _fine_shifts(blocks: Floats, windows: Floats, corners: NDArray, coarse: NDArray) -> tuple[NDArray, Floats]:
    """The best whole shifts `[N, 2]` near the coarse ones, and their errors; rest if that fits as well."""
    shifts = np.concatenate([coarse[:, None] + _FINE, np.broadcast_to(_NEAR, (len(corners), *_NEAR.shape))], axis=1)
    errors = _errors(blocks, windows, corners, shifts)
    errors[:, len(_FINE) + len(_NEAR) // 2] -= _AS_GOOD
    best = errors.argmin(1)
    at = np.arange(len(corners))
    return shifts[at, best], errors[at, best]


def _below_a_pixel(blocks: Floats, windows: Floats, corners: NDArray, whole: NDArray) -> Floats:
    """Where between -1/2 and 1/2 two lines of equal steepness meet: absolute differences have the form of a V."""
    cross = np.array([[-1, 0], [1, 0], [0, -1], [0, 1], [0, 0]])
    left, right, up, down, here = _errors(blocks, windows, corners, whole[:, None] + cross).T
    return np.stack([_vertex(left, here, right), _vertex(up, here, down)], axis=1)


def _vertex(before: Floats, here: Floats, after: Floats) -> Floats:
    steepest = np.maximum(before, after) - here
    return np.where(steepest > 1e-6, (before - after) / (2 * np.maximum(steepest, 1e-6)), 0).clip(-0.5, 0.5)


def _texture(picture: Floats, corners: NDArray) -> Floats:
    """float32 `[N]`: root of the smaller eigenvalue of the structure tensor, so that an edge alone is none (Shi, Tomasi 1994)."""
    down, right = np.gradient(picture)
    columns, rows = corners.T
    products = np.stack([right * right, down * down, right * down])
    parts = np.lib.stride_tricks.sliding_window_view(products, (SIZE, SIZE), axis=(1, 2))[:, rows, columns]
    xx, yy, xy = rearrange(parts, "c n h w -> c n (h w)").mean(2)
    return np.sqrt(np.maximum((xx + yy) / 2 - np.sqrt(np.square((xx - yy) / 2) + np.square(xy)), 0))
