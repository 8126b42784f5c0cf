"""Real videos from a folder, cut into captioned clips."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from .clips import Caption, CaptionedClip, ClipSource
from .video import VideoError, VideoReader, read_video

CAPTIONS_FILE = "captions.jsonl"
VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3gp .apng .asf .avi .flv .gif .h264 .h265 .hevc .ivf .m2ts .m4v .mjpeg .mkv .mov .mp4 .mpeg .mpg .mts "
    ".ogv .ts .vob .webm .wmv .y4m".split()
)
MANY_FILES = 32  # from this many files on, reading them shows a progress bar


@dataclass(frozen=True)
class TimedText:
    """A caption of a stretch of a video."""

    start: float
    """Seconds after the first frame."""
    end: float
    """Seconds after the first frame; infinity for "to the end"."""
    text: str


@dataclass(frozen=True)
class Window:
    """A stretch of a file that makes one clip."""

    file: str
    """Path below the folder, with forward slashes."""
    start: float
    """Seconds after the first frame."""


class VideoFolder(ClipSource):
    """The videos below a folder, each cut into as many clips as it holds, one after the other.

    `captions.jsonl` in the folder lists the files to use, one JSON object per line: `{"file", "caption"}` or
    `{"file", "captions": [{"start", "end", "text"}]}` with times in seconds (without "end": until the next one). Other
    keys are ignored. Where nothing is said the caption is "". Without that file, every video below the folder is used.

    Each file is decoded once, when the folder is opened. Clips are kept in memory as far as they fit and otherwise read
    again when asked for. Files that cannot be used are left out and named, with the reason, in `skipped`; a file that
    is damaged part way gives the clips before the damage and is named in `damaged`.

    Args:
        root: The folder.
        num_frames: Frames in a clip.
        size: Rows and columns of a frame, or one number for a square; videos are scaled to cover it, then cropped.
        fps: Frames per second of a clip.
        include: Patterns of paths below the folder, such as "clips/*"; a file must match one.
        exclude: Patterns of paths to leave out.
        cache_bytes: Memory for decoded clips, in bytes.
        step: Frames from the start of a clip to that of the next one of the same file; None is `num_frames`, so that clips do not
            overlap. A smaller step makes more of few videos.

    Raises:
        ValueError: If the folder or its captions cannot be read, an argument is out of range, or no clip is left.
    """

    skipped: dict[str, str]
    """Why a file was left out, by file."""
    damaged: dict[str, str]
    """Why reading a file ended early although it gave clips, by file."""

    def __init__(
        self,
        root: str | Path,
        num_frames: int = 17,
        size: int | tuple[int, int] = 64,
        fps: float = 12.0,
        include: Sequence[str] = ("*",),
        exclude: Sequence[str] = (),
        cache_bytes: int = 2 * 1024**3,
        step: int | None = None,
    ):
        self.root, self.num_frames, self.fps = Path(root), num_frames, fps
        self.height, self.width = (size, size) if isinstance(size, int) else size
        self.step = num_frames if step is None else step
        self._check()
        self._texts = {file: texts for file, texts in _list_videos(self.root).items() if _chosen(file, include, exclude)}
        self.skipped, self.damaged = {}, {}
        self._windows: list[Window] = []
        self._cached: list[Tensor] = []  # the first clips, as many as fit
        self._room = cache_bytes
        self._scan()
        if not self._windows:
            raise ValueError(f"no clip can be made from {self.root}: {self._reasons()}")

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of a folder with {len(self)} clips")
        index %= len(self)
        window = self._windows[index]
        frames = self._cached[index] if index < len(self._cached) else self._read(window)
        captions = captions_of_window(self._texts[window.file], window.start, self.num_frames, self.fps)
        return CaptionedClip(frames, captions, self.fps, f"{window.file}@{window.start:.2f}s")

    def summary(self) -> str:
        """One line: how many clips from how many files, and which files were left out."""
        files = len({window.file for window in self._windows})
        line = f"{len(self):,} clips of {self.num_frames} frames at {self.fps:g} fps from {files} files in {self.root}"
        if self.damaged:
            line += f"; {len(self.damaged)} damaged: {_name_some(self.damaged)}"
        if self.skipped:
            line += f"; {len(self.skipped)} skipped: {_name_some(self.skipped)}"
        return line

    def _check(self) -> None:
        if not self.root.is_dir():
            raise ValueError(f"{self.root} is not a folder; give the folder that holds the videos")
        if self.num_frames < 1 or min(self.height, self.width) < 1:
            raise ValueError(f"clips of {self.num_frames} frames of {self.height} x {self.width} are empty; wanted at least 1")
        if not 1 <= self.step <= self.num_frames:
            raise ValueError(f"got a step of {self.step} frames; wanted 1 to {self.num_frames}, the length of a clip")

    def _scan(self) -> None:
        console, quiet = Console(stderr=True), len(self._texts) < MANY_FILES
        for file in track(self._texts, f"Reading {self.root}", console=console, transient=True, disable=quiet):
            try:
                self._add(file)
            except VideoError as error:
                self.skipped[file] = str(error)

    def _add(self, file: str) -> None:
        """Adds the windows of one file."""
        with VideoReader(self.root / file, fps=self.fps, size=(self.height, self.width)) as reader:
            pictures: list[np.ndarray] = []
            count = 0
            for picture in reader:
                pictures.append(picture)
                if len(pictures) == self.num_frames:
                    self._windows.append(Window(file, count * self.step / self.fps))
                    self._keep(pictures)
                    count += 1
                    pictures = pictures[self.step :]
            if count == 0:
                self.skipped[file] = self._too_short(len(pictures), reader.damage)
            elif reader.damage:
                self.damaged[file] = reader.damage

    def _keep(self, pictures: list[np.ndarray]) -> None:
        """Caches a clip, unless one before it no longer fitted."""
        size = self.num_frames * self.height * self.width * 3
        if len(self._cached) == len(self._windows) - 1 and size <= self._room:
            self._cached.append(torch.from_numpy(np.stack(pictures)))
            self._room -= size

    def _read(self, window: Window) -> Tensor:
        video = read_video(
            self.root / window.file,
            fps=self.fps,
            size=(self.height, self.width),
            start=window.start,
            num_frames=self.num_frames,
        )
        return video.frames

    def _too_short(self, num_frames: int, damage: str | None) -> str:
        cause = f" before the damage ({damage})" if damage else ""
        return (
            f"has {num_frames} frames at {self.fps:g} fps{cause}; wanted {self.num_frames}; "
            f"lower the `num_frames` of the VideoFolder to {num_frames}, or raise its `fps`"
        )

    def _reasons(self) -> str:
        if not self._texts:
            return f"include and exclude let no video through; wanted one in {CAPTIONS_FILE} or below the folder"
        return "; ".join(f"{file}: {reason}" for file, reason in islice(self.skipped.items(), 10))


def captions_of_window(texts: Sequence[TimedText], start: float, num_frames: int, fps: float) -> tuple[Caption, ...]:
    """The captions of a clip that begins `start` seconds into its video, from the timeline of the video.

    A frame has the text that holds at its moment; of several, the one that began last; of none, "".
    """
    captions: list[Caption] = []
    for frame in range(num_frames):
        text = _text_at(texts, start + frame / fps)
        if not captions or text != captions[-1].text:
            captions.append(Caption(frame, text))
    return tuple(captions)


def _text_at(texts: Sequence[TimedText], seconds: float) -> str:
    moment = seconds + 1e-6  # a caption from 0.25 s holds for the frame at 0.25 s, however that was rounded
    holding = [text for text in texts if text.start <= moment < text.end]
    return max(holding, key=lambda text: text.start).text if holding else ""


def _list_videos(root: Path) -> dict[str, tuple[TimedText, ...]]:
    """The files to use with their captions, in order."""
    listing = root / CAPTIONS_FILE
    if listing.is_file():
        return dict(_read_captions(listing))
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    return {path.relative_to(root).as_posix(): () for path in paths}


def _read_captions(listing: Path) -> Iterator[tuple[str, tuple[TimedText, ...]]]:
    seen = set()
    try:
        lines = listing.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{listing} is not UTF-8 text ({error}); save it as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            file, texts = _parse_row(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f'{listing} line {number}: {error}; wanted {{"file": "...", "caption": "..."}} or '
                '{"file": "...", "captions": [{"start": 0.0, "end": 2.5, "text": "..."}]}'
            ) from error
        if file in seen:
            raise ValueError(f"{listing} line {number}: {file} is listed twice; keep one line per file")
        seen.add(file)
        yield file, texts


def _parse_row(row: dict) -> tuple[str, tuple[TimedText, ...]]:
    if not isinstance(row, dict) or not isinstance(row.get("file"), str):
        raise ValueError('got no "file"')
    if "captions" not in row:
        return row["file"], (TimedText(0.0, math.inf, _text(row.get("caption") or "")),)
    if "caption" in row:
        raise ValueError('got both "caption" and "captions"')
    starts = [float(entry["start"]) for entry in row["captions"]]
    ends = [float(entry["end"]) if entry.get("end") is not None else None for entry in row["captions"]]
    texts = []
    for entry, start, end in zip(row["captions"], starts, ends, strict=True):
        if end is None:
            end = min((other for other in starts if other > start), default=math.inf)
        if not 0 <= start < end:
            raise ValueError(f"got a caption from {start} s to {end} s")
        texts.append(TimedText(start, end, _text(entry["text"])))
    return row["file"], tuple(texts)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"got a caption {value!r} that is no text")
    return value.strip()


def _chosen(file: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in include) and not any(fnmatch(file, pattern) for pattern in exclude)


def _name_some(files: dict[str, str], most: int = 3) -> str:
    named = ", ".join(islice(files, most))
    return named if len(files) <= most else f"{named} and {len(files) - most} more (see .skipped and .damaged)"
