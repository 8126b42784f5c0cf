"""How well each frame of a video follows from the next one by motion alone. The only file that knows OpenCV."""

from itertools import pairwise
from math import nan
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

LEAST_SIZE = 16  # pixels; DIS matches patches of 8, on smaller copies of the picture too
_WHOLLY = 0.99  # of a pixel between pixels that count
_SAME_COLOUR = 24.0  # levels


def warp_error(frames: Tensor) -> float:
    """Root mean square difference between each frame and the next one warped back onto it, in levels of 0 to 255.

    The warping error of "Learning blind video temporal consistency", Lai et al. 2018, without its square, with DIS optical flow
    (Kroeger et al. 2016, medium preset, but down to full resolution). Only pixels count that stay inside the frame and whose flow
    there and back agrees, which leaves out what is hidden or wraps around a border. A frozen video has 0, so read this beside a
    figure of motion. Flow of small objects is rough, so compare with the error of true videos, which is not 0.

    Args:
        frames: uint8 `[T, H, W, 3]`, at least 16 x 16 pixels.

    Returns:
        The error over all pixels that count; NaN if there is none, as with a single frame.

    Raises:
        ValueError: The frames are not as above.
        ImportError: OpenCV is not installed.
    """
    _check(frames)
    cv2, dis = _flow()
    errors = [_squared_errors(cv2, dis, here, after) for here, after in pairwise(frames.cpu().numpy())]
    pixels = np.concatenate([np.empty(0), *errors])
    return float(np.sqrt(pixels.mean())) if len(pixels) else nan


def flow_lengths(frames: Tensor) -> np.ndarray:
    """How far pixels move from each frame to the next one, the mean over the frame, in pixels; float64 `[T - 1]`.

    The flow is that of `warp_error`. Noise moves too, so compare with the figure of true videos.

    Args:
        frames: uint8 `[T, H, W, 3]`, at least 16 x 16 pixels.

    Raises:
        ValueError: The frames are not as above.
        ImportError: OpenCV is not installed.
    """
    _check(frames)
    cv2, dis = _flow()
    greys = [_grey(cv2, frame) for frame in frames.cpu().numpy()]
    flows = [dis.calc(here, after, None) for here, after in pairwise(greys)]
    return np.array([np.hypot(flow[..., 0], flow[..., 1]).mean() for flow in flows], dtype=np.float64)


def in_view_at_start(frames: Tensor) -> np.ndarray:
    """Which pixels of each frame show what the first frame shows too, bool `[T, H, W]`.

    Each pixel is traced back to the first frame along the flow of `warp_error`, step by step. A pixel counts as long as it stays
    inside the frame, the flow there and back agrees, and the first frame has about its colour at the place where the trace ends.

    Args:
        frames: uint8 `[T, H, W, 3]`, at least 16 x 16 pixels.

    Raises:
        ValueError: The frames are not as above.
        ImportError: OpenCV is not installed.
    """
    _check(frames)
    cv2, dis = _flow()
    pictures = np.ascontiguousarray(frames.cpu().numpy())
    greys = [_grey(cv2, picture) for picture in pictures]
    rows, columns = np.indices(greys[0].shape, dtype=np.float32)
    counts = np.ones_like(rows)
    masks = [np.ones(rows.shape, dtype=bool)]
    for before, here, picture in zip(greys, greys[1:], pictures[1:], strict=False):
        back, there = dis.calc(here, before, None), dis.calc(before, here, None)
        x, y = _targets(back)
        agree = _inside(x, y) & _agree(back, cv2.remap(there, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        columns, rows, counts = (
            cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in (columns, rows, counts)
        )
        counts = np.where(agree & (counts > _WHOLLY), 1, 0).astype(np.float32)
        first = cv2.remap(pictures[0], columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alike = np.abs(first.astype(np.float32) - picture).mean(axis=2) < _SAME_COLOUR
        masks.append((counts > 0) & alike)
    return np.stack(masks)


def _flow() -> tuple[Any, Any]:
    """OpenCV, and what computes flow."""
    cv2 = _import_cv2()
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)  # the preset stops at half the resolution, where objects of a few pixels are lost
    return cv2, dis


def _check(frames: Tensor) -> None:
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or min(frames.shape[1:3]) < LEAST_SIZE:
        raise ValueError(
            f"got frames of shape {list(frames.shape)} and {frames.dtype}; wanted uint8 [T, H, W, 3] of at least "
            f"{LEAST_SIZE}x{LEAST_SIZE} pixels; a video [C, T, H, W] in [-1, 1] becomes frames with "
            "`framecast.data.to_frames`"
        )


def _import_cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ImportError("warping error needs OpenCV; install it with `pip install '.[evaluate]'`") from error
    return cv2


def _grey(cv2: Any, picture: np.ndarray) -> np.ndarray:
    """Greys `[H, W]` of a picture `[H, W, 3]`."""
    return cast(np.ndarray, cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY))


def _squared_errors(cv2: Any, dis: Any, here: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Squared differences, the mean over the channels, of the pixels of `here` `[H, W, 3]` that count, float64 `[N]`."""
    grey, grey_after = _grey(cv2, here), _grey(cv2, after)
    there, back = dis.calc(grey, grey_after, None), dis.calc(grey_after, grey, None)  # [H, W, 2], x first
    x, y = _targets(there)
    back_here = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    warped = cv2.remap(after.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    counts = _inside(x, y) & _agree(there, back_here)
    return np.square(warped - here.astype(np.float64)).mean(axis=2)[counts]


def _targets(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel goes: columns and rows, float32 `[H, W]`."""
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    return columns + flow[..., 0], rows + flow[..., 1]


def _inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    height, width = x.shape
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _agree(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Where the way back undoes the way there, up to half a pixel and more for long ways (Sundaram et al. 2010), `[H, W]`."""
    gap, there_length, back_length = (np.square(way).sum(axis=2) for way in (there + back, there, back))
    return gap < 0.01 * (there_length + back_length) + 0.5
