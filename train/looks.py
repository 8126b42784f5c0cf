"""A look at what a training makes: a moving picture and a sheet of stills in files, a picture for the model card."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import lightning as L
import torch
from einops import repeat
from lightning.pytorch.utilities import rank_zero_warn
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..data import contact_sheet, encode_webp
from ..data.files import WriteError, replacing
from ..sample.bundle_folder import MAX_PICTURE

FOLDER = "samples"
_GAP, _HEAD = 4, 18  # pixels between cells, and above them
_LEAST_CELL = 96  # pixels; smaller clips are enlarged
_STILLS, _LONGEST_LABEL = 6, 70


@dataclass(frozen=True, eq=False)
class Column:
    """Clips that are shown one below the other.

    Attributes:
        title: What stands above them, in a word or two.
        clips: uint8 `[T, H, W, 3]` each.
        labels: What the sheet says of each clip.
    """

    title: str
    clips: Sequence[Tensor]
    labels: Sequence[str]


class Looker(L.Callback):
    """A callback that shows what a training makes; it keeps the picture of its last look for the model card."""

    picture: bytes | None = None
    """A small JPEG; None before the first look."""

    def path_of(self, trainer: L.Trainer) -> Path:
        """The moving picture of a look at this step."""
        return Path(trainer.default_root_dir, FOLDER, f"step_{trainer.global_step:06d}.webp")

    def keep(self, trainer: L.Trainer, groups: Sequence[Sequence[Column]], fps: float) -> Path:
        """Writes `samples/step_000200.webp`, which moves, and a sheet of stills beside it, under the run's folder.

        A look that cannot be written is a warning, since the training goes on without it.

        Args:
            trainer: Whose step it is.
            groups: Columns; the clips of a group's columns belong together, row by row.
            fps: Frames per second.

        Returns:
            The moving picture.
        """
        path = self.path_of(trainer)
        sheet = sheet_of(groups)
        self.picture = small_jpeg(sheet)
        if trainer.fast_dev_run:
            return path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(encode_webp(side_by_side(list(chain.from_iterable(groups))), fps))
            with replacing(path.with_suffix(".png")) as temporary:
                sheet.save(temporary, format="PNG")
        except (OSError, WriteError) as error:
            rank_zero_warn(f"{error}; the training goes on without a look at its samples")
        return path


def last_picture(trainer: L.Trainer) -> bytes | None:
    """The picture of the last look of a training, if there was one."""
    return next((c.picture for c in trainer.callbacks if isinstance(c, Looker) and c.picture is not None), None)


def side_by_side(columns: Sequence[Column]) -> Tensor:
    """Columns of clips as one moving picture, uint8 `[T, H, W, 3]`; shorter clips stay at their last frame."""
    clips = [clip for column in columns for clip in column.clips]
    length, height, width = (max(clip.shape[axis] for clip in clips) for axis in range(3))
    scale = max(1, -(-_LEAST_CELL // min(height, width)))
    rows = max(len(column.clips) for column in columns)
    size = (_HEAD + rows * (height * scale + _GAP), len(columns) * (width * scale + _GAP))
    canvas = torch.full((length, *size, 3), 255, dtype=torch.uint8)
    for x, column in enumerate(columns):
        left = x * (width * scale + _GAP)
        canvas[:, :_HEAD, left : left + width * scale] = _written(column.title, width * scale)
        for y, clip in enumerate(column.clips):
            top = _HEAD + y * (height * scale + _GAP)
            cell = repeat(_as_long(clip, length), "t h w c -> t (h a) (w b) c", a=scale, b=scale)
            canvas[:, top : top + cell.shape[1], left : left + cell.shape[2]] = cell
    return canvas


def sheet_of(groups: Sequence[Sequence[Column]]) -> Image.Image:
    """The same as stills: each clip a row, with its label above, those that belong together below each other."""
    together = [zip(*(zip(column.clips, column.labels, strict=True) for column in group), strict=True) for group in groups]
    rows = [row for group in together for clips in group for row in clips]
    length = max(len(clip) for clip, _ in rows)
    scale = max(1, round(_LEAST_CELL / rows[0][0].shape[1]))
    labels = [label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 3]}..." for _, label in rows]
    return contact_sheet([clip for clip, _ in rows], labels, every=max(1, -(-length // _STILLS)), scale=scale)


def small_jpeg(image: Image.Image) -> bytes:
    """A JPEG of at most `MAX_PICTURE` bytes: less exact, and then smaller, until it fits."""
    while True:
        for quality in (90, 80, 65, 50):
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, format="JPEG", quality=quality)
            if buffer.tell() <= MAX_PICTURE:
                return buffer.getvalue()
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))


def _as_long(clip: Tensor, length: int) -> Tensor:
    return torch.cat([clip, clip[-1:].expand(length - len(clip), -1, -1, -1)])


def _written(text: str, width: int) -> Tensor:
    """A line of text, uint8 `[_HEAD, width, 3]`."""
    image = Image.new("RGB", (width, _HEAD), (255, 255, 255))
    ImageDraw.Draw(image).text((2, 1), text, (20, 20, 20), ImageFont.load_default(size=12))
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(_HEAD, width, 3)
