"""What is measured in the frames of a shot: camera, movement, light and colours."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from einops import reduce
from numpy.typing import NDArray

from .blocks import Blocks, Floats, match_blocks
from .camera import CameraMotion, camera_motion, resting

LONG_SIDE = 160
"""Pixels of the longer side of the pictures that are measured."""
_LOOKS_BACK = 0.5  # seconds, for what moves so slowly that two frames look the same
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta")
"""The hues that are told apart, in order around the circle."""
_HUES_END = np.array([18, 42, 70, 165, 200, 260, 335]) / 360  # where each hue ends; red goes on after the last one
_COLOURED, _SEEN, _GREY = 0.25, 0.2, 0.1  # saturation of a colour, its least light, and saturation up to which all is grey


@dataclass(frozen=True, eq=False)
class Measures:
    """What was measured at each of T moments of a shot.

    Attributes:
        rate: Moments a second.
        pan: float32 `[T, 2]`, how the picture shifts, (x, y) in widths a second, to the right and down.
        zoom: float32 `[T]`, how it grows, as a share a second.
        trust: float32 `[T]`, 0 to 1: how much of the picture agrees on that.
        moved: float32 `[T]`, share of the picture that moves otherwise.
        places: float32 `[T, 3, 3]`, how it is spread over the picture, rows from the top; its sum is `moved`.
        ways: float32 `[T, 2]`, the mean direction of what moves, (x, y) of a length of 0 to 1.
        light: float32 `[T]`, mean grey, 0 to 1.
        colours: float32 `[T, 9]`, shares of the hues of `COLOURS`, of brown, and of pixels without colour.
    """

    rate: float
    pan: Floats
    zoom: Floats
    trust: Floats
    moved: Floats
    places: Floats
    ways: Floats
    light: Floats
    colours: Floats

    def __len__(self) -> int:
        """The number of moments."""
        return len(self.light)

    def part(self, first: int, end: int) -> "Measures":
        """The moments from `first` to before `end`."""
        names = ("pan", "zoom", "trust", "moved", "places", "ways", "light", "colours")
        return Measures(self.rate, *(getattr(self, name)[first:end] for name in names))


class Meter:
    """Takes the frames of a shot one by one; holds those of the last half second alone.

    Args:
        rate: Frames a second.
    """

    def __init__(self, rate: float):
        self.rate = rate
        self._before: deque[Floats] = deque(maxlen=max(1, round(_LOOKS_BACK * rate)))  # while the camera stood still
        self._last: Floats | None = None
        self._slow: _Movement | None = None
        self._waiting = 0
        self._rows: list[tuple[NDArray, ...]] = []
        self._looks: list[tuple[float, Floats]] = []

    def add(self, frame: NDArray[np.uint8], is_new: bool = True) -> None:
        """The next frame, uint8 `[H, W, 3]`; one that is not new shows again what was shown before."""
        if not is_new and self._looks:
            self._looks.append(self._looks[-1])
            self._waiting += 1
            return
        grey = frame.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        self._looks.append((float(grey.mean()) / 255, _colours_of(frame)))
        if self._last is not None:
            row = self._row(self._last, grey, self.rate / (self._waiting + 1))
            self._rows += [row] * (self._waiting + 1)
        self._last, self._waiting = grey, 0

    def __len__(self) -> int:
        """The number of frames so far."""
        return len(self._looks)

    def measures(self) -> Measures:
        """All that was measured; a moment has the motion that led to it, and the first one that which follows."""
        nothing = (np.zeros(2), np.zeros(()), np.zeros(()), np.zeros(()), np.zeros((3, 3)), np.zeros(2))
        rows = [(self._rows or [nothing])[0], *self._rows]
        rows += [rows[-1]] * (len(self) - len(rows))
        pan, zoom, trust, moved, places, ways = (np.stack(column).astype(np.float32) for column in zip(*rows, strict=True))
        light, colours = zip(*self._looks, strict=True)
        seen = (np.array(light, np.float32), np.stack(colours))
        return Measures(self.rate, pan, zoom, trust, moved, places, ways, *seen)

    def _row(self, before: Floats, after: Floats, rate: float) -> tuple[NDArray, ...]:
        """Pan, zoom, trust, share that moves, where, and which way."""
        blocks = match_blocks(before, _as_bright(after, before))
        camera = camera_motion(blocks)
        shown = max(self._slow_movement(before, after, camera), _movement_of(blocks, camera), key=lambda found: found.share)
        pan = np.array([camera.shift.real, camera.shift.imag]) * rate / before.shape[1]
        return pan, np.array(camera.turn.real * rate), np.array(camera.share), np.array(shown.share), shown.places, shown.way

    def _slow_movement(self, before: Floats, after: Floats, camera: CameraMotion) -> "_Movement":
        """What has moved within half a second, if the camera stood still for so long; looked at four times a second."""
        if not camera.rests:
            self._before.clear()
            self._slow = None
        self._before.append(before)
        if camera.rests and len(self._before) == self._before.maxlen and len(self._looks) % max(1, round(self.rate / 4)) == 0:
            blocks = match_blocks(self._before[0], _as_bright(after, self._before[0]))
            self._slow = _movement_of(blocks, resting(blocks))
        return self._slow or _Movement(0.0, np.zeros((3, 3)), np.zeros(2))


@dataclass(frozen=True, eq=False)
class _Movement:
    """What moves otherwise than the camera.

    Attributes:
        share: Of the picture.
        places: float `[3, 3]`, its parts in the thirds of the picture.
        way: float `[2]`, the mean direction.
    """

    share: float
    places: NDArray
    way: NDArray


def _as_bright(picture: Floats, other: Floats) -> Floats:
    """A picture as bright as another one: what is lit otherwise has not moved."""
    return picture + (np.median(other) - np.median(picture))


def _movement_of(blocks: Blocks, camera: CameraMotion) -> _Movement:
    places = np.zeros((3, 3))
    centred = blocks.places / (2 * np.abs(blocks.places).max(0) + 1e-6) + 0.5
    columns, rows = np.floor(centred * 3).clip(0, 2).astype(int).T
    np.add.at(places, (rows, columns), camera.moving / len(camera.moving))
    ways = blocks.shifts[camera.moving & blocks.certain] - [camera.shift.real, camera.shift.imag]
    lengths = np.linalg.norm(ways, axis=1, keepdims=True)
    way = (ways / np.maximum(lengths, 1e-6)).mean(0) if len(ways) else np.zeros(2)
    return _Movement(float(camera.moving.mean()), places, way)


def _colours_of(frame: NDArray[np.uint8]) -> Floats:
    """Shares of the hues, of brown, and of what has no colour, float32 `[9]`."""
    rows, columns = (side - side % 4 for side in frame.shape[:2])
    pixels = reduce(frame[:rows, :columns] / np.float32(255), "(h p) (w q) c -> (h w) c", "mean", p=4, q=4)
    most, least = pixels.max(1), pixels.min(1)
    spread = np.maximum(most - least, 1e-6)
    red, green, blue = pixels.T
    sector = np.select(
        [most == red, most == green], [(green - blue) / spread % 6, (blue - red) / spread + 2], (red - green) / spread + 4
    )
    hue = np.searchsorted(_HUES_END, sector / 6, side="right") % len(COLOURS)
    saturation = spread / np.maximum(most, 1e-6)
    coloured = (saturation > _COLOURED) & (most > _SEEN)
    brown = coloured & (hue <= 1) & (most < 0.6) & (green < 0.75 * red)
    shares = [(coloured & ~brown & (hue == number)).mean() for number in range(len(COLOURS))]
    return np.array([*shares, brown.mean(), ((saturation < _GREY) | (most < _SEEN / 2)).mean()], np.float32)
