"""Grey frames that tell their number, and noise, for tests of video files."""

import numpy as np
import torch


def numbered_frames(num_frames: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Grey frames whose level tells their number: 10, 20, 30, ..."""
    levels = 10 * np.arange(1, num_frames + 1, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (num_frames, height, width, 3)).copy()


def numbers(frames: torch.Tensor) -> list[int]:
    """The numbers of grey frames, from 0."""
    return [round(level / 10) - 1 for level in frames.float().mean(dim=(1, 2, 3)).tolist()]


def noise(num_frames: int = 5, height: int = 19, width: int = 23, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)
