"""What spoils a training, made small: scenes, cuts, bars, stills."""

from pathlib import Path

import numpy as np

from framecast.data import write_video


def moving(num_frames: int, seed: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 `[T, H, W, 3]`: rectangles on a shaded ground, seen by a camera that pans by a pixel a frame."""
    generator = np.random.default_rng(seed)
    shade = np.linspace(*generator.uniform(0.6, 1.2, 2), height)[:, None, None]
    wide = np.broadcast_to(generator.uniform(70, 180, 3) * shade, (height, width + num_frames, 3)).copy()
    for _ in range(wide.size // 600):
        row, column, rows, columns = generator.integers((0, 0, 4, 4), (*wide.shape[:2], 20, 20))
        wide[row : row + rows, column : column + columns] += generator.uniform(-60, 60, 3)
    wide = wide.clip(45, 255).astype(np.uint8)
    return np.stack([wide[:, index : index + width] for index in range(num_frames)])


def still(num_frames: int, seed: int = 0) -> np.ndarray:
    """One picture all the time."""
    return np.repeat(moving(1, seed), num_frames, 0)


def with_bars(frames: np.ndarray, rows: int = 0, columns: int = 0, noise: int = 6) -> np.ndarray:
    """Nearly black, noisy bars at both sides."""
    shape = (len(frames), frames.shape[1] + 2 * rows, frames.shape[2] + 2 * columns, 3)
    barred = np.random.default_rng(0).integers(0, noise + 1, shape, dtype=np.uint8)
    barred[:, rows : shape[1] - rows, columns : shape[2] - columns] = frames
    return barred


def write(path: Path, *parts: np.ndarray, fps: float = 12.0) -> np.ndarray:
    """Writes parts one after the other, and gives all frames."""
    frames = np.concatenate(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, fps)
    return frames
