"""Frames whose number and orientation can be read from their pixels, and videos made of them."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import torch

SIZE = 64
CORNERS = ((220, 30, 30), (30, 220, 30), (30, 30, 220), (128, 128, 128))  # top left, top right, bottom left, bottom right


def picture(number: int) -> np.ndarray:
    """Frame `number`, below 256: four coloured corners, and the number as eight bars across the middle."""
    half, bar = SIZE // 2, SIZE // 8
    frame = np.zeros((SIZE, SIZE, 3), np.uint8)
    for corner, colour in enumerate(CORNERS):
        frame[half * (corner // 2) :, half * (corner % 2) :] = colour
    for bit in range(8):
        frame[half - 8 : half + 8, bar * bit : bar * (bit + 1)] = 235 if number >> bit & 1 else 20
    return frame


def numbers(frames: torch.Tensor) -> list[int]:
    """The numbers of frames as `picture` drew them."""
    half, bar = SIZE // 2, SIZE // 8
    light = frames[:, half - 3 : half + 3].float().mean(dim=(1, 3))
    return [sum(int(row[bar * bit + 2 : bar * (bit + 1) - 2].mean() > 120) << bit for bit in range(8)) for row in light]


def write(path: Path, shown: Iterable[int], codec: str = "libx264", rate: int = 24, key: int = 12, **options: str) -> Path:
    """A video of the numbered frames in a container that follows from the suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"g": str(key), **options})
        stream.height = stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for index, number in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
