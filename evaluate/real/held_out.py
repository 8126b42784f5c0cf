"""`HeldOut`: clips of a folder of real video that a bundle was not trained on, as far as it says."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...data import CaptionedClip, VideoError, VideoFolder, probe_video
from ...data.caption_lines import CAPTIONS_FILE
from ...data.listing import list_videos
from ...progress import tracked
from ...sample import Bundle
from ...tokenizer import TextTokenizer
from ..settings import Settings
from .trained_on import seen_in_training

T = TypeVar("T")
_LENGTHS = ((17, 32), (17, 16), (9, 8), (5, 4))
"""Frames that are given and frames that are to follow, as far as the videos are long enough."""
_FILES_PER_CLIP = 4  # of which are read at most: a folder may hold thousands
_SHORT_CLIP = 17
Timed = list[tuple[float, str]]
"""The texts of a clip and the seconds from which they hold."""


@dataclass(frozen=True)
class HeldOut:
    """Clips of real video, at a bundle's size and rate.

    Attributes:
        clips: As many as were asked for, or as there are.
        given: How many of their frames a generator is given to go on from.
        about: What was taken of the folder, and whether it was trained on, in a few sentences.
        skipped: Why files were left out, by name.
        damaged: What could not be decoded of a file, by name.
    """

    clips: tuple[CaptionedClip, ...]
    given: int
    about: str
    skipped: dict[str, str]
    damaged: dict[str, str]

    @property
    def num_frames(self) -> int:
        """Length of each clip."""
        return len(self.clips[0].frames)

    @property
    def made(self) -> int:
        """How many frames follow the given ones."""
        return self.num_frames - self.given


def video_root(settings: Settings) -> Path:
    """The folder of real video.

    Raises:
        ValueError: It is none, or the file of captions is not there.
    """
    root = Path(str(settings.real))
    if not root.is_dir():
        raise ValueError(f"got --real {root}, which is no folder; wanted the folder that holds the videos")
    if settings.captions is not None and not Path(settings.captions).is_file():
        raise ValueError(f"got --captions {settings.captions}, which is no file; wanted one such as `{CAPTIONS_FILE}`")
    return root


def short_clips(bundle: Bundle, settings: Settings) -> HeldOut:
    """Clips of 17 frames, for the tokenizer.

    Raises:
        ValueError: The folder has no such clip.
    """
    length = bundle.tokenizer.stride.trimmed(_SHORT_CLIP)
    files, about = unseen_files(bundle, settings)
    return _cut(bundle, settings, files, length, length, about)


def long_clips(bundle: Bundle, settings: Settings) -> HeldOut:
    """Clips to go on from, as long as enough of the videos allow.

    Raises:
        ValueError: The folder has no clip of the shortest length.
    """
    files, about = unseen_files(bundle, settings)
    frames = [_length(Path(str(settings.real)) / file, bundle.fps) for file in tracked(files, "looking at videos", unit="files")]
    lengths = [_legal(bundle, *pair) for pair in _LENGTHS]
    wanted = min(settings.clips, max(1, len(files) // 2))
    given, made = next((pair for pair in lengths if sum(n // sum(pair) for n in frames) >= wanted), lengths[-1])
    return _cut(bundle, settings, files, given, given + made, about)


def captions_of(clip: CaptionedClip, text: TextTokenizer, limit: int) -> Timed:
    """The texts of a clip, cut to the length that a bundle takes; empty if nothing is said of it."""
    timed = [(caption.start / clip.fps, fitted(caption.text, text, limit)) for caption in clip.captions]
    return [(start, words) for start, words in timed if words] if timed[0][1] else []


def fitted(caption: str, text: TextTokenizer, limit: int) -> str:
    """As many of the first words of a caption as a prompt may have."""
    words = caption.split()
    while words:
        try:
            text.encode(" ".join(words), limit)
            return " ".join(words)
        except ValueError:
            words.pop()
    return ""


def unseen_files(bundle: Bundle, settings: Settings) -> tuple[list[str], str]:
    """The files to cut clips from, and whether the bundle was trained on them, in a few sentences."""
    root = video_root(settings)
    captions = None if settings.captions is None else Path(settings.captions)
    files = list(list_videos(root, settings.include, (), captions).texts)
    seen = seen_in_training(bundle.training, root, files)
    unseen = [file for file in files if file not in seen.files]
    about = seen.about
    if seen.files and unseen:
        about += " Those are left out."
    elif seen.files:
        about += " So these figures may be those of videos that it has learned by heart; give videos that it has not seen."
    return evenly(unseen or files, _FILES_PER_CLIP * settings.clips), about


def _cut(bundle: Bundle, settings: Settings, files: Sequence[str], given: int, length: int, about: str) -> HeldOut:
    size, include = (bundle.height, bundle.width), tuple(map(escape, files)) or settings.include
    folder = VideoFolder(str(settings.real), length, size, bundle.fps, include, captions=settings.captions)
    if folder.skipped or folder.damaged:
        print(folder.summary(), file=sys.stderr)
    clips = tuple(folder[index] for index in evenly(range(len(folder)), settings.clips))
    videos = len({clip.name.rpartition("@")[0] for clip in clips})
    taken = f"{len(clips)} clips of {length} frames ({length / bundle.fps:.1f} s) from {videos} videos."
    left_out = [f"{len(folder.skipped)} files are too short or cannot be read, and are left out."] if folder.skipped else []
    left_out += [f"{len(folder.damaged)} files are damaged part way."] if folder.damaged else []
    return HeldOut(clips, given, " ".join([taken, *left_out, about]), folder.skipped, folder.damaged)


def _legal(bundle: Bundle, given: int, made: int) -> tuple[int, int]:
    """Such lengths in whole latent frames of a bundle."""
    stride = bundle.tokenizer.stride
    return stride.trimmed(given), max(1, made // stride.frames) * stride.frames


def _length(path: Path, fps: float) -> int:
    """Frames of a video at a rate, by its header; 0 if it does not say."""
    try:
        return int((probe_video(path).duration or 0) * fps)
    except (VideoError, OSError):
        return 0


def evenly(items: Sequence[T], count: int) -> list[T]:
    """So many of some items, or all of them, from the first to the last."""
    places = np.linspace(0, len(items) - 1, min(len(items), count)).round().astype(int)
    return [items[place] for place in places.tolist()]
