"""Folders of small videos, for tests."""

import json
from pathlib import Path

import numpy as np

from framecast.data import write_video

SMALL = {"num_frames": 5, "size": 16, "fps": 10.0}


def write_clip(path: Path, num_frames: int, fps: float = 10.0) -> np.ndarray:
    """A lossless clip of noise; the noise follows from the length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(num_frames).integers(0, 256, (num_frames, 16, 16, 3), dtype=np.uint8)
    write_video(path, frames, fps)
    return frames


def write_captions(folder: Path, *rows: dict | str) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
