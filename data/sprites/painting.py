"""Painting a scene: from the truth about it to pixels."""

from dataclasses import dataclass

import numpy as np

from .scenes import Scene
from .shapes import COLOURS

BAR_GREY = 110


@dataclass(frozen=True)
class Gradient:
    """A background that goes straight from one colour to another; a plain one if both are the same."""

    first: tuple[float, float, float]
    """Colour of the first row or column, channels 0 to 255."""
    last: tuple[float, float, float]
    """Colour of the last row or column."""
    vertical: bool
    """Whether it goes from top to bottom and not from left to right."""

    def paint(self, camera: np.ndarray, height: int, width: int) -> np.ndarray:
        """float32 `[1, H, W, 3]`; there is nothing in it that the camera could pass."""
        share = np.linspace(0, 1, height if self.vertical else width)[:, None]
        ramp = (1 - share) * np.array(self.first) + share * np.array(self.last)
        ramp = ramp[:, None] if self.vertical else ramp[None]
        return np.broadcast_to(ramp.astype(np.float32), (1, height, width, 3))


@dataclass(frozen=True)
class Blobs:
    """A background of soft spots on a plain tone, endless to the left and right."""

    tone: tuple[float, float, float]
    """Colour between the spots, channels 0 to 255."""
    spots: tuple[tuple[float, float, float], ...]
    """(x, y, sigma) of each spot, in pixels."""
    tints: tuple[tuple[float, float, float], ...]
    """What the middle of each spot adds to the tone."""

    def paint(self, camera: np.ndarray, height: int, width: int) -> np.ndarray:
        """float32 `[T, H, W, 3]`: Gaussian spots, each seen at the place where the camera is nearest to it."""
        x, y, sigma = np.array(self.spots, dtype=np.float32).T[:, :, None]  # [spots, 1]
        apart = np.arange(width, dtype=np.float32) + camera[:, 0, None, None].astype(np.float32) - x
        apart = (apart + width / 2) % width - width / 2  # [T, spots, W]
        rows = np.exp(-(((np.arange(height, dtype=np.float32) - y) / sigma) ** 2) / 2)
        across = np.exp(-((apart / sigma) ** 2) / 2)[..., None] * np.array(self.tints, dtype=np.float32)[:, None]
        painted = np.matmul(rows.T, across.reshape(len(camera), len(self.spots), -1))  # [T, H, W * 3]
        return painted.reshape(len(camera), height, width, 3) + np.array(self.tone, dtype=np.float32)


def render(scene: Scene) -> np.ndarray:
    """Paints a scene, uint8 `[T, H, W, 3]`; the same scene always gives the same pixels."""
    behind = (scene.background.paint(scene.camera, scene.height, scene.width) + 0.5).astype(np.uint8)
    frames = np.empty((scene.num_frames, scene.height, scene.width, 3), dtype=np.uint8)
    frames[:] = behind
    for index in range(len(scene.objects)):
        _paint_object(frames, scene, index)
    if scene.bar is not None:
        frames[:, :, slice(*scene.bar)] = BAR_GREY
    if (scene.light < 1).any():
        frames = (frames * scene.light[:, None, None, None].astype(np.float32) + np.float32(0.5)).astype(np.uint8)
    return frames


def _paint_object(frames: np.ndarray, scene: Scene, index: int) -> None:
    """Blends one object into uint8 `[T, H, W, 3]`, channel by channel, which numpy does far faster than by pixel."""
    rows, columns, mask = scene.footprint(index)
    share = mask * scene.alpha[index, :, None, None].astype(np.float32)
    times = np.arange(scene.num_frames)[:, None, None]
    places = 3 * ((times * scene.height + rows[:, :, None]) * scene.width + columns[:, None, :])  # [T, h, w]
    values = frames.reshape(-1)
    for level in np.array(COLOURS[scene.objects[index].colour], dtype=np.float32):
        behind = values.take(places)
        values[places] = (behind + share * (level - behind) + np.float32(0.5)).astype(np.uint8)
        places += 1
