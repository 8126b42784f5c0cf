"""Parts of videos: `video[:17]` and `video[3]`."""

import operator

from torch import Tensor


def part_of(frames: Tensor, which: slice, fps: float) -> tuple[Tensor, float]:
    """The frames of a slice, and their rate: with a step, fewer a second.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        which: The slice; steps are forward.
        fps: Frames per second.

    Raises:
        ValueError: The step is below 1.
    """
    step = 1 if which.step is None else which.step
    if step < 1:
        raise ValueError(f"got a slice with step {step}; wanted at least 1; `frames.flip(0)` turns a video round")
    return frames[which], fps / step


def frame_of(frames: Tensor, index: object) -> Tensor:
    """One frame, uint8 `[H, W, 3]`; -1 is the last.

    Raises:
        IndexError: There is no such frame.
        TypeError: `index` is no whole number.
    """
    try:
        number = operator.index(index)  # type: ignore[arg-type]
    except TypeError as error:
        raise TypeError(f"got {index!r:.60} as an index; wanted a whole number or a slice, such as video[:17]") from error
    if not -len(frames) <= number < len(frames):
        raise IndexError(f"frame {number} of a video with {len(frames)}")
    return frames[number]
