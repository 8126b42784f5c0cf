"""`Clip`: a finished video with the tokens it was decoded from; shows itself in a notebook."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, overload

from torch import Tensor

from ..data import encode_webp, write_video
from ..data.sheets import is_sheet, save_sheet
from ..data.slices import frame_of, part_of

_SHOWN_HEIGHT = 256  # pixels on a notebook's page


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """A generated video.

    A slice such as `clip[:17]` is a clip too, and `clip[3]` is a frame `[H, W, 3]`. Tokens mean what they do after those before
    them. So a slice from the first frame on keeps the tokens of its whole latent frames, and another slice has none.

    Attributes:
        frames: uint8 `[T, H, W, 3]`.
        tokens: int64 `[T, H, W]` on the latent grid; `frames` is their decoding.
        fps: Frames per second.
        prompt: The prompt it began with.
        seed: The stream's seed.
        note: What a person should know who looks at it, such as that its world wraps around.
        actions: float32 `[T, stride, A]`, what was done, latent frame by latent frame, NaN where unknown; `None` without actions.
    """

    frames: Tensor
    tokens: Tensor
    fps: float
    prompt: str
    seed: int
    note: str = ""
    actions: Tensor | None = None

    def __repr__(self) -> str:
        count, height, width = self.frames.shape[:3]
        return f"Clip({self.prompt!r}, {count} frames of {height}x{width}, {self.fps:g} frames/s, seed {self.seed})"

    def save(self, path: str | Path) -> None:
        """Writes the frames; the suffix says how: .mp4, .gif, .webp, .png (animated, lossless) or .mkv (lossless).

        A name that ends in .sheet.png gives a contact sheet: a picture with a row of the frames, and the prompt as its title.

        Raises:
            ValueError: The folder does not exist or the suffix is none of these.
        """
        if is_sheet(path):
            save_sheet(path, [self.frames], [self.prompt], self.note)
        else:
            write_video(path, self.frames, self.fps)

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.frames)

    @overload
    def __getitem__(self, which: int) -> Tensor: ...

    @overload
    def __getitem__(self, which: slice) -> Self: ...

    def __getitem__(self, which: int | slice) -> Tensor | Self:
        if not isinstance(which, slice):
            return frame_of(self.frames, which)
        frames, fps = part_of(self.frames, which, self.fps)
        whole = self._whole_latent_frames(which)
        actions = None if self.actions is None else self.actions[:whole]
        return replace(self, frames=frames, fps=fps, tokens=self.tokens[:whole], actions=actions)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.frames)

    def _whole_latent_frames(self, which: slice) -> int:
        """How many of its first latent frames a slice holds whole; none if it begins later or leaves frames out."""
        start, stop, step = which.indices(len(self.frames))
        if start != 0 or step != 1 or stop < 1:
            return 0
        if len(self.tokens) < 2:
            return len(self.tokens)
        stride = (len(self.frames) - 1) // (len(self.tokens) - 1)
        return 1 + (stop - 1) // stride

    def _repr_html_(self) -> str:
        picture = base64.b64encode(encode_webp(self.frames, self.fps)).decode()
        return (
            f'<img src="data:image/webp;base64,{picture}" alt="generated video" '
            f'style="height: {_SHOWN_HEIGHT}px; image-rendering: pixelated">'
        )
