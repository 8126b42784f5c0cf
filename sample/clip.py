"""`Clip`: a finished video with the tokens it was decoded from; shows itself in a notebook."""

import base64
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..data import encode_webp, write_video

_SHOWN_HEIGHT = 256  # pixels on a notebook's page


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """A generated video.

    Attributes:
        frames: uint8 `[T, H, W, 3]`.
        tokens: int64 `[T, H, W]` on the latent grid; `frames` is their decoding.
        fps: Frames per second.
        prompt: The prompt it began with.
        seed: The stream's seed.
    """

    frames: Tensor
    tokens: Tensor
    fps: float
    prompt: str
    seed: int

    def __repr__(self) -> str:
        count, height, width = self.frames.shape[:3]
        return f"Clip({self.prompt!r}, {count} frames of {height}x{width}, {self.fps:g} frames/s, seed {self.seed})"

    def save(self, path: str | Path) -> None:
        """Writes the frames; the suffix says how: .mp4, .gif, .webp, .png (animated, lossless) or .mkv (lossless).

        Raises:
            ValueError: The folder does not exist or the suffix is none of these.
        """
        write_video(path, self.frames, self.fps)

    def _repr_html_(self) -> str:
        picture = base64.b64encode(encode_webp(self.frames, self.fps)).decode()
        return (
            f'<img src="data:image/webp;base64,{picture}" alt="generated video" '
            f'style="height: {_SHOWN_HEIGHT}px; image-rendering: pixelated">'
        )
