"""Clips of folders of real video, as the benchmark of worlds has them, without actions."""

from pathlib import Path

import torch

from framecast.data import VideoFolder
from framecast.progress import tracked

from ..worlds.clips import Clips


def read_videos(folder: Path, num_frames: int, size: int, fps: float) -> Clips:
    """All clips of a folder and of the folders that are linked in it.

    Raises:
        ValueError: There is no clip of so many frames.
    """
    videos = VideoFolder(folder, num_frames, size, fps, cache_bytes=0)
    frames = torch.stack([videos[index].frames for index in tracked(range(len(videos)), f"reading {folder}", unit="clips")])
    return Clips(frames, torch.zeros(len(frames), num_frames, 0), fps)
