"""Real videos from a folder, cut into captioned clips."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice, pairwise
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..progress import tracked
from .actions import ActionSpace, Steps, check_delay, resample
from .caption_lines import CAPTIONS_FILE, TimedText, captions_of_window
from .clips import CaptionedClip, ClipSource
from .kept import KeptClips
from .kinds import as_path, sides, whole
from .listing import list_videos
from .recorded import ACTIONS_FILE, RecordedActions, read_action_lines, read_space
from .remarks import Remarks, in_words, remarks_of
from .scanning import Cutting, checked_part, hash_frames, read_through
from .scans import Scan, ScanIndex
from .video import READER_VERSION, Bars, VideoError

__all__ = ["CAPTIONS_FILE", "TimedText", "VideoFolder", "Window", "captions_of_window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a file that makes one clip."""

    file: str
    """Path below the folder, with forward slashes."""
    start: float
    """Seconds after the first frame."""
    hash: str
    """A hash of its frames, as they were when the file was read through."""


class VideoFolder(ClipSource):
    """The videos below a folder, each cut into as many clips as it holds, one after the other.

    `captions.jsonl` in the folder lists the files to use, one JSON object per line: `{"file", "caption"}` or
    `{"file", "captions": [{"start", "end", "text"}]}`. Times are in seconds; a text without "end" holds until the next one. Other
    keys are ignored. If nothing is said the caption is "". Without that file, every video below the folder is used, also in
    linked folders: what a file is, its content says and not its suffix. Hidden files are left alone.

    Each file is read through once. What it gave is kept in `.framecast-index.json` in the folder, for as long as the file keeps
    its size and time. If the folder cannot be written, the index lies in the user's cache. Clips are kept in memory as far as
    they fit, and otherwise read again when asked for. Files and lines that cannot be used are left out and named, with the
    reason, in `skipped`. A file that is damaged gives what can be decoded and is named in `damaged`.

    Real folders hold more than plain video. No clip holds a cut between two shots, black bars are cut off, and files in which
    nothing moves are left out. What was found of each file stands in `remarks`. Files with actions are recordings, and are read
    frame by frame as they are.

    Args:
        root: The folder.
        num_frames: Frames in a clip.
        size: Rows and columns of a frame, or one number for a square; videos are scaled to cover it, then cropped.
        fps: Frames per second of a clip.
        include: Patterns of paths below the folder, such as `clips/*`, or one such pattern; a file must match one.
        exclude: Patterns of paths to leave out, or one.
        cache_bytes: Memory for decoded clips, in bytes.
        step: Frames from the start of a clip to that of the next one of the same file; None is `num_frames`, so that clips do not
            overlap. A smaller step makes more of few videos.
        captions: A file that takes the place of `captions.jsonl` in the folder; its paths are those below the folder.
        actions: A file that takes the place of `actions.jsonl` in the folder, there or elsewhere; its paths are those below the
            folder. A `captions.jsonl` whose lines name "actions" and "action_names" will do.
        action_space: What the actions are, in the place of what `actions.jsonl` states: a space, its plain values, or a JSON file
            of it, such as the `config.json` of a bundle. If nothing is stated, it follows from the numbers of the files in use.
        action_delay: Stored frames of a file that pass until an action shows, >= 0. Cars and robots answer some tenths of a
            second later.

    Raises:
        ValueError: If the folder, its captions or its actions cannot be read, an argument is out of range, or no clip is left.
    """

    skipped: dict[str, str]
    """Why a file or a line of captions was left out."""
    damaged: dict[str, str]
    """What could not be decoded of a file that gave clips."""
    remarks: dict[str, Remarks]
    """What is odd about a file that gave clips: cuts, bars, stretches that stand still, and how much of it was not read."""

    def __init__(
        self,
        root: str | Path,
        num_frames: int = 17,
        size: int | tuple[int, int] = 64,
        fps: float = 12.0,
        include: str | Sequence[str] = ("*",),
        exclude: str | Sequence[str] = (),
        cache_bytes: int = 2 * 1024**3,
        step: int | None = None,
        captions: str | Path | None = None,
        actions: str | Path | None = None,
        action_space: dict[str, Any] | str | Path | ActionSpace | None = None,
        action_delay: int = 0,
        split_shots: bool = True,
        crop_bars: bool = True,
        fit: str = "crop",
        skip_stills: bool = True,
        seconds_per_file: float | None = None,
        part: tuple[float, float] = (0.0, 1.0),
    ):
        self.root = as_path(root, "the folder of the videos")
        if not self.root.is_dir():
            raise ValueError(f"{self.root} is not a folder; give the folder that holds the videos")
        step = num_frames if step is None else step
        looks = (split_shots, crop_bars, fit, skip_stills, seconds_per_file)
        cutting = self._cutting = Cutting(num_frames, *sides("size", size), fps, step, *looks)
        self.num_frames, self.fps, self.step = cutting.num_frames, cutting.fps, cutting.step
        self.height, self.width = cutting.height, cutting.width
        self.part = checked_part(part)
        found = list_videos(self.root, include, exclude, None if captions is None else Path(captions))
        self.include, self.exclude = ((each,) if isinstance(each, str) else tuple(each) for each in (include, exclude))
        self._texts, self.skipped, self.damaged, self.remarks = found.texts, found.skipped, {}, {}
        self._shown: dict[str, tuple[int, ...]] = {}
        self._windows: list[Window] = []
        self._cached = KeptClips(cache_bytes)
        self._index = ScanIndex(self.root)
        wanted = "a whole number of frames, at least 0"
        delay = whole("action_delay", action_delay, 0, inf, wanted)
        self._actions = self._recorded(actions, action_space, delay)
        self.action_space = None if self._actions is None else self._actions.space
        self._scan()
        if not self._windows:
            raise ValueError(f"no clip can be made from {self.root}: {self._reasons()}")
        if self._actions is not None and self.files_with_actions:
            steps = (self._steps_of(window, num_frames) for window in reversed(self._windows))
            check_delay(delay, steps, max(self._actions.length_of(file) for file in self.clips_of_files))

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of a folder with {len(self)} clips")
        index %= len(self)
        window = self._windows[index]
        frames = self._cached.get(index)
        if frames is None:
            frames = self._read(window)
            self._cached.keep(index, frames)
        return self._clip(window, frames, f"{window.file}@{window.start:.2f}s")

    def whole_videos(self) -> Iterator[CaptionedClip]:
        """The files that give clips, each as one clip of its own length, with its captions and actions.

        Raises:
            VideoError: A file has changed since the folder was opened.
        """
        for file in self.clips_of_files:
            with self._cutting.reader(self.root / file, bars=self._bars(file)) as reader:
                frames = torch.from_numpy(np.stack(list(reader)))
            yield self._clip(Window(file, 0.0, ""), frames, file)

    @property
    def files_with_actions(self) -> int:
        """Of how many files, of those that give clips, the actions are known."""
        return 0 if self._actions is None else sum(file in self._actions for file in self.clips_of_files)

    @property
    def clips_of_files(self) -> dict[str, int]:
        """How many clips each file gives, by its path below the folder; files that give none are in `skipped`."""
        return dict(Counter(window.file for window in self._windows))

    @property
    def seconds_of_video(self) -> float:
        """Seconds of video in all clips; where clips overlap, it counts once."""
        return sum(self.seconds_of_files.values())

    @property
    def seconds_of_files(self) -> dict[str, float]:
        """Seconds of video in the clips of each file; where clips overlap, it counts once."""
        seconds: dict[str, float] = {}
        for window, following in pairwise([*self._windows, Window("", 0.0, "")]):
            is_last = following.file != window.file
            length = self.num_frames / self.fps
            new = length if is_last else min(length, following.start - window.start)
            seconds[window.file] = seconds.get(window.file, 0.0) + new
        return seconds

    def summary(self) -> str:
        """One line: how many clips from how many files, and which files were left out."""
        files = len({window.file for window in self._windows})
        line = f"{len(self):,} clips of {self.num_frames} frames at {self.fps:g} fps from {files} files in {self.root}"
        if self._actions is not None and self._actions.space is not None:
            line += f"; {self._actions.summary()}"
        line += "".join(f"; {said}" for said in in_words(self.remarks))
        if self.damaged:
            line += f"; {len(self.damaged)} damaged: {_name_some(self.damaged)}"
        if self.skipped:
            line += f"; {len(self.skipped)} skipped: {_name_some(self.skipped)}"
        return line

    def fingerprint(self) -> dict[str, Any]:
        """What the clips depend on: the settings, and hashes of the names, the bytes and the captions of the files in use.

        The fingerprint stays the same if the folder is moved or copied.
        """
        files = list(dict.fromkeys(window.file for window in self._windows))
        videos = [[file, self._index.hash_of(file)] for file in files]
        self._index.save()
        captions = [[file, *_plain_texts(self._texts[file])] for file in files]
        settings = {"num_frames": self.num_frames, "size": [self.height, self.width], "fps": self.fps, "step": self.step}
        if not self._is_plain:
            places = [(window.file, round(window.start * self.fps)) for window in self._windows]
            settings["cut"] = _hash([[file, place, *astuple(self._bars(file))] for file, place in places])
            settings["fit"] = self._cutting.fit
        contents = {"files": len(files), "videos": _hash(videos), "captions": _hash(captions)}
        if self._actions is not None and self._actions.space is not None:
            contents |= {"actions": self._actions.hash_of(files), "action_space": self._actions.space.to_json()}
        return {"class": type(self).__name__, "reader": READER_VERSION, "num_clips": len(self), **settings, **contents}

    def _recorded(self, actions: str | Path | None, space: Any, delay: int) -> RecordedActions | None:
        """The actions of the files; those that cannot be used are left out, with their files."""
        given = None if actions is None else self.root / as_path(actions, "a file of actions")
        listing = self.root / ACTIONS_FILE if given is None else given if given.exists() else Path(str(actions))
        if actions is None and not listing.exists():
            return None
        recorded = RecordedActions(self.root, read_action_lines(listing), self._texts, read_space(space), delay)
        self.skipped |= recorded.skipped
        self._texts = {file: texts for file, texts in self._texts.items() if file not in recorded.skipped}
        return recorded

    @property
    def _is_plain(self) -> bool:
        """Whether all clips are those that the files give if nothing is looked for in them."""
        steps: Counter[str] = Counter()
        for window in self._windows:
            if round(window.start * self.fps) != steps[window.file] * self.step or self.remarks[window.file].bars:
                return False
            steps[window.file] += 1
        return self._cutting.fit == "crop"

    def _cutting_of(self, file: str) -> Cutting:
        return self._cutting.as_recorded if self._actions is not None and file in self._actions else self._cutting

    def _bars(self, file: str) -> Bars:
        return self.remarks[file].bars

    def _scan(self) -> None:
        known = {file: self._index.scan(file, str(self._cutting_of(file))) for file in self._texts}
        unknown = [file for file, scan in known.items() if scan is None]
        fresh = self._read_through(unknown)
        for file, scan in known.items():
            self._add(file, scan or next(fresh))
        list(fresh)  # to its end, which saves the index

    def _read_through(self, files: list[str]) -> Iterator[Scan]:
        """Reads files to their ends, in order."""
        try:
            for file in tracked(files, f"reading {self.root}", unit="files"):
                scan = self._scan_file(file)
                self._index.add(file, str(self._cutting_of(file)), scan)
                self._index.save_now_and_then()
                yield scan
        finally:
            self._index.save()

    def _add(self, file: str, scan: Scan) -> None:
        """Adds the windows of one file."""
        if self._actions is not None and file in self._actions and scan.skipped is None:
            mismatch = self._actions.mismatch(file, scan.num_frames)
            if mismatch is not None:
                scan = Scan(skipped=mismatch)
                self._cached.forget(len(self._windows))
            self._shown[file] = scan.shown
        if scan.skipped is not None:
            self.skipped[file] = scan.skipped
            self._cached.forget(len(self._windows))
            return
        self._windows += self._part_of(file, scan)
        self.remarks[file] = remarks_of(scan)
        if scan.damage is not None:
            self.damaged[file] = scan.damage

    def _part_of(self, file: str, scan: Scan) -> list[Window]:
        """The clips of a file that lie in the wanted part of it."""
        starts = scan.starts or tuple(index * self.step for index in range(len(scan.clips)))
        windows = [Window(file, start / self.fps, hash) for start, hash in zip(starts, scan.clips, strict=True)]
        if self.part == (0.0, 1.0):
            return windows
        first, end = (share * (starts[-1] + self.num_frames) for share in self.part)
        self._cached.forget(len(self._windows))  # they were kept under the numbers that they have in the whole file
        inside = [first <= start and start + self.num_frames <= end for start in starts]
        return [window for window, is_inside in zip(windows, inside, strict=True) if is_inside]

    def _scan_file(self, file: str) -> Scan:
        def keep(index: int, frames: Tensor) -> None:
            self._cached.keep(len(self._windows) + index, frames)

        return read_through(self.root / file, file, self._cutting_of(file), keep)

    def _read(self, window: Window) -> Tensor:
        """A clip, the same as when its file was read through. If a key frame leads elsewhere, the file is read from its start."""
        frames = self._read_from(window, seeks=True)
        if frames is None or hash_frames(frames) != window.hash:
            frames = self._read_from(window, seeks=False)
        if frames is None:
            raise VideoError(f"{self.root / window.file} has changed since the folder was opened; open the folder again")
        return frames

    def _read_from(self, window: Window, seeks: bool) -> Tensor | None:
        with self._cutting.reader(self.root / window.file, window.start, seeks, self._bars(window.file)) as reader:
            pictures = list(islice(reader, self.num_frames))
        return torch.from_numpy(np.stack(pictures)) if len(pictures) == self.num_frames else None

    def _clip(self, window: Window, frames: Tensor, name: str) -> CaptionedClip:
        """Frames with what is said of them, and the actions, rewards and ends, if their file has any."""
        captions = captions_of_window(self._texts[window.file], window.start, len(frames), self.fps)
        found = self._steps_of(window, len(frames))
        if found is None:
            return CaptionedClip(frames, captions, self.fps, name)
        values = {"actions": found.actions, "rewards": found.rewards, "ends": found.ends}
        known = {what: torch.from_numpy(rows) for what, rows in values.items() if rows is not None}
        return CaptionedClip(frames, captions, self.fps, name, **known)

    def _steps_of(self, window: Window, num_frames: int) -> Steps | None:
        """What was done between so many frames of a file; None if nothing is said of it."""
        steps = None if self._actions is None else self._actions.steps(window.file)
        if steps is None or self.action_space is None:
            return None
        first = round(window.start * self.fps)
        shown = self._shown[window.file][first : first + num_frames]
        if len(shown) < num_frames:
            raise VideoError(f"{self.root / window.file} has changed since the folder was opened; open the folder again")
        return resample(steps, self.action_space, shown)

    def _reasons(self) -> str:
        if not self._texts and not self.skipped and (self.include, self.exclude) == (("*",), ()):
            return f"there is no video below it, and none in {CAPTIONS_FILE}; name the folder that holds your videos"
        if not self._texts and not self.skipped:
            return f"include and exclude let no video through; wanted one in {CAPTIONS_FILE} or below the folder"
        return "; ".join(f"{printable(file)}: {reason}" for file, reason in islice(self.skipped.items(), 10))


def _name_some(files: dict[str, str], most: int = 3) -> str:
    named = ", ".join(printable(file) for file in islice(files, most))
    return named if len(files) <= most else f"{named} and {len(files) - most} more (see .skipped and .damaged)"


def printable(file: str) -> str:
    """A file name that can be printed, also if it is no valid text."""
    return file.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain_texts(texts: Sequence[TimedText]) -> list[list[Any]]:
    return [[text.start, text.end if math.isfinite(text.end) else None, text.text] for text in texts]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
