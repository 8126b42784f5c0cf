"""Contact sheets: videos as rows of pictures, for people to look at."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .files import replacing
from .images import check_frames
from .kinds import as_path, whole

SHEET = ".sheet.png"
"""The end of a file's name that asks for a contact sheet in place of a video."""
GAP = 2
INK, PAPER = (20, 20, 20), (255, 255, 255)
_COLUMNS, _HEIGHT = 9, 128  # of a sheet that chooses by itself: at most, and in pixels at least


def is_sheet(path: str | Path) -> bool:
    """Whether a file's name asks for a contact sheet."""
    return as_path(path, "a file to write").name.lower().endswith(SHEET)


def save_sheet(path: str | Path, rows: Sequence[Tensor | np.ndarray], labels: Sequence[str], note: str = "") -> None:
    """Writes a contact sheet of at most nine frames a row, the first one among them; small frames are enlarged.

    Args:
        path: The file, a PNG.
        rows: Videos, each uint8 `[T, H, W, 3]`.
        labels: A title for each.
        note: A line at the bottom.

    Raises:
        ValueError: The folder of the file does not exist, or a video is not as stated.
    """
    videos = [check_frames(row, fps=1) for row in rows]
    every = max(1, math.ceil((max(map(len, videos)) - 1) / (_COLUMNS - 1)))
    scale = max(1, math.ceil(_HEIGHT / max(video.shape[1] for video in videos)))
    sheet = contact_sheet(videos, labels, every, scale, note)
    with replacing(Path(path)) as temporary:
        sheet.save(temporary, format="PNG")


def contact_sheet(
    rows: Sequence[Tensor | np.ndarray],
    labels: Sequence[str] | None = None,
    every: int = 1,
    scale: int = 1,
    note: str = "",
) -> Image.Image:
    """Draws each video as a row of frames, with its label above it and the frame numbers on top.

    Args:
        rows: Videos, each uint8 `[T, H, W, 3]`; lengths and sizes may differ.
        labels: A line of text for each row.
        every: Show every so many-th frame.
        scale: Enlarge the pixels so many times.
        note: A line of text below the last row.

    Returns:
        An RGB picture; keep it with `.save("sheet.png")`.

    Raises:
        ValueError: If there are no rows, a row is not as stated, or labels, `every` or `scale` do not fit.
    """
    _check(rows, labels, every, scale)
    videos = [check_frames(row, fps=1)[::every].repeat(scale, axis=1).repeat(scale, axis=2) for row in rows]
    font = ImageFont.load_default(size=12)
    line = math.ceil(font.getbbox("Ag")[3]) + 2 * GAP
    cell = GAP + max(video.shape[2] for video in videos)
    numbers = [str(index * every) for index in range(max(len(video) for video in videos))]
    cell = max(cell, *(int(font.getlength(number)) + 2 * GAP for number in numbers))
    texts = labels or [""] * len(videos)
    width = GAP + max(cell * len(numbers), *(int(font.getlength(text)) + 2 * GAP for text in [*texts, note]))
    label_line = line if labels else 0
    height = line + sum(label_line + video.shape[1] + GAP for video in videos) + (line if note else 0)

    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, number in enumerate(numbers):
        draw.text((GAP + column * cell, 0), number, INK, font)
    top = line
    for video, text in zip(videos, texts, strict=True):
        draw.text((GAP, top), text, INK, font)
        top += label_line
        for column, frame in enumerate(video):
            sheet.paste(Image.fromarray(frame), (GAP + column * cell, top))
        top += video.shape[1] + GAP
    draw.text((GAP, top), note, INK, font)
    return sheet


def _check(rows: Sequence, labels: Sequence[str] | None, every: int, scale: int) -> None:
    if isinstance(rows, Tensor | np.ndarray | str) or not isinstance(rows, Sequence) or not rows:
        raise ValueError("got no rows; a contact sheet wants at least one video, uint8 [T, H, W, 3], in a list")
    if labels is not None and (not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels)):
        raise ValueError(f"got labels {labels!r:.80}; wanted a text for each row, in a list")
    if labels is not None and len(labels) != len(rows):
        raise ValueError(f"got {len(labels)} labels for {len(rows)} rows; give one for each row")
    for name, value in (("every", every), ("scale", scale)):
        whole(name, value, -math.inf, math.inf, "a whole number, at least 1")
    if every < 1 or scale < 1:
        raise ValueError(f"every is {every} and scale is {scale}; wanted whole numbers, at least 1")
