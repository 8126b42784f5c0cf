"""Clips with actions into a LeRobotDataset of version 3."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..actions import ActionSpace
from ..clips import CaptionedClip, ClipSource
from ..files import replacing_folder
from ..kinds import as_path, whole
from ..parquet import write_parquet
from ..recorded import in_own_units
from ..video import Mp4Writer
from .episodes import DONE, EPISODE, EPISODES, REWARD, TASK, TASKS
from .info import ACTION, INFO_FILE, filled
from .stats import Statistics

_VERSION = "v3.0"
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
_DATA, _VIDEO = f"data/{_FILE}.parquet", f"videos/{{video_key}}/{_FILE}.mp4"
_FILES_A_CHUNK = 1000
_ROWS = {"timestamp": "float32", "frame_index": "int64", EPISODE: "int64", "index": "int64", TASK: "int64"}
_STEPS = {ACTION: "list<float32>", REWARD: "float32", DONE: "bool_"}


def write_lerobot(
    folder: str | Path,
    episodes: ClipSource | Iterable[CaptionedClip],
    *,
    action_space: ActionSpace | None = None,
    camera: str = "observation.images.view",
    robot_type: str = "framecast",
    episodes_per_file: int = 100,
) -> int:
    """Writes clips as the episodes of a LeRobotDataset of version 3.0; the folder appears whole or not at all.

    Captions become tasks. Row t of an episode stands beside frame t and holds what was done between frame t and frame t + 1, in
    the unit of each axis; the last row holds the action of a person who touches nothing. Unknown actions and rewards are NaN.
    Needs pyarrow (the extra `worlds`).

    Args:
        folder: Where to write; must not be there, or be empty.
        episodes: A source, or clips of any lengths, all of one size and rate; each clip is an episode.
        action_space: What the actions are; None takes that of the source.
        camera: The name of the feature that is shown.
        robot_type: What was recorded, in words.
        episodes_per_file: Episodes in each file of rows and each video.

    Returns:
        How many episodes there are.

    Raises:
        ValueError: If there is something in the folder, no clip, clips that differ in size or rate, or actions without a space.
        WriteError: If a file cannot be written.
    """
    folder = as_path(folder, "the folder of a LeRobotDataset")
    whole("episodes_per_file", episodes_per_file, 1, inf, "a whole number of at least 1")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"got {folder}, which is not empty; wanted a new folder")
    if isinstance(episodes, ClipSource):
        action_space = action_space or episodes.action_space
    clips = _in_order(episodes)
    first = next(clips, None)
    if first is None:
        raise ValueError(f"got no clip to write into {folder}; wanted at least one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as root:
        writing = _Dataset(root, first, action_space, camera, robot_type)
        for part in _parts(chain([first], clips), episodes_per_file):
            writing.add_file(part)
        writing.finish()
    return len(writing.episodes)


def _in_order(episodes: ClipSource | Iterable[CaptionedClip]) -> Iterator[CaptionedClip]:
    """The clips, also of a source, which by itself has no end."""
    return (episodes[index] for index in range(len(episodes))) if isinstance(episodes, ClipSource) else iter(episodes)


def _parts(clips: Iterator[CaptionedClip], size: int) -> Iterator[Iterator[CaptionedClip]]:
    """The clips in parts of a size, one clip at a time."""
    for clip in clips:
        yield chain([clip], (following for _, following in zip(range(size - 1), clips, strict=False)))


@dataclass
class _Dataset:
    """A dataset while it is written."""

    root: Path
    first: CaptionedClip
    space: ActionSpace | None
    camera: str
    robot_type: str
    tasks: dict[str, int] = field(default_factory=dict)
    episodes: list[dict[str, Any]] = field(default_factory=list)
    num_files: int = 0
    num_frames: int = 0
    statistics: Statistics = field(default_factory=Statistics)

    def add_file(self, clips: Iterator[CaptionedClip]) -> None:
        """Writes a file of rows and a video of several episodes."""
        chunk, number = divmod(self.num_files, _FILES_A_CHUNK)
        place = {"chunk_index": chunk, "file_index": number}
        data, video = filled(_DATA, **place), filled(_VIDEO, video_key=self.camera, **place)
        rows: dict[str, list[Any]] = {name: [] for name in self._types}
        shown = 0
        with ExitStack() as stack:
            writer = stack.enter_context(self._video(video))
            for clip in clips:
                self._check(clip)
                writer.write(clip.frames.numpy())
                self._describe(clip, place, shown)
                self._add_rows(clip, rows)
                shown += len(clip.frames)
        path = self.root / data
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, rows, self._types)
        self.num_files += 1

    def finish(self) -> None:
        """Writes what is said of all episodes."""
        meta = self.root / f"{EPISODES}/chunk-000"
        meta.mkdir(parents=True)
        columns = {name: [episode[name] for episode in self.episodes] for name in self.episodes[0]}
        kinds = {str: "string", int: "int64", float: "float64", list: "list<string>"}
        types = {name: kinds[type(values[0])] for name, values in columns.items()}
        write_parquet(meta / "file-000.parquet", columns, types)
        tasks: dict[str, list[Any]] = {"task": list(self.tasks), TASK: list(self.tasks.values())}
        write_parquet(self.root / f"{TASKS}.parquet", tasks, {"task": "string", TASK: "int64"}, index="task")
        for path, content in ((INFO_FILE, self._info()), ("meta/stats.json", self.statistics.summary())):
            (self.root / path).write_text(json.dumps(content, indent=4), encoding="utf-8")

    @property
    def _types(self) -> dict[str, str]:
        steps = {ACTION: self.space, REWARD: self.first.rewards, DONE: self.first.ends}
        return {**{name: kind for name, kind in _STEPS.items() if steps[name] is not None}, **_ROWS}

    def _video(self, name: str) -> Mp4Writer:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = self.first.frames.shape[1:3]
        return Mp4Writer(path, height, width, self.first.fps)

    def _check(self, clip: CaptionedClip) -> None:
        got, wanted = ((tuple(each.frames.shape[1:]), each.fps) for each in (clip, self.first))
        if got != wanted:
            raise ValueError(
                f"got {clip.name!r} of {got[0][0]}x{got[0][1]} at {got[1]:g} fps after clips of {wanted[0][0]}x{wanted[0][1]} at "
                f"{wanted[1]:g}; wanted one size and rate"
            )
        if clip.actions is not None and self.space is None:
            raise ValueError(f"got {clip.name!r} with actions and no action space; give `action_space`")
        if clip.actions is not None and self.space is not None:
            self.space.check(clip.actions.numpy(), f"actions of {clip.name!r}")

    def _describe(self, clip: CaptionedClip, place: dict[str, int], shown: int) -> None:
        """Notes where an episode lies, of whose file so many frames are written."""
        length, fps = len(clip.frames), clip.fps
        of_data = {f"data/{name}": number for name, number in place.items()}
        of_video = {f"videos/{self.camera}/{name}": number for name, number in place.items()}
        times = {
            f"videos/{self.camera}/from_timestamp": shown / fps,
            f"videos/{self.camera}/to_timestamp": (shown + length) / fps,
        }
        self.episodes.append(
            {
                EPISODE: len(self.episodes),
                "tasks": list(dict.fromkeys(caption.text for caption in clip.captions)),
                "length": length,
                "dataset_from_index": self.num_frames,
                "dataset_to_index": self.num_frames + length,
                **of_data,
                **of_video,
                **times,
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
        )
        self.statistics.add_pictures(self.camera, clip.frames.numpy())

    def _add_rows(self, clip: CaptionedClip, rows: dict[str, list[Any]]) -> None:
        length = len(clip.frames)
        starts = [caption.start for caption in clip.captions]
        numbers = [self.tasks.setdefault(caption.text, len(self.tasks)) for caption in clip.captions]
        places = np.searchsorted(starts, np.arange(length), side="right") - 1
        columns: dict[str, NDArray[Any]] = {
            "timestamp": (np.arange(length) / clip.fps).astype(np.float32),
            "frame_index": np.arange(length),
            EPISODE: np.full(length, len(self.episodes) - 1),
            "index": self.num_frames + np.arange(length),
            TASK: np.asarray(numbers)[places],
            **self._steps(clip),
        }
        self.num_frames += length
        for name, values in rows.items():
            values += list(columns[name]) if columns[name].ndim > 1 else columns[name].tolist()
            self.statistics.add(name, columns[name])

    def _steps(self, clip: CaptionedClip) -> dict[str, NDArray[Any]]:
        """What was done after each frame, and what came of it."""
        length = len(clip.frames)
        steps: dict[str, NDArray[Any]] = {}
        if self.space is not None:
            actions = np.full((length, self.space.size), np.nan, np.float32) if clip.actions is None else clip.actions.numpy()
            steps[ACTION] = in_own_units(np.concatenate([actions[1:], self.space.nothing[None]]), self.space)
        rewards = np.full(length, np.nan, np.float32) if clip.rewards is None else clip.rewards.numpy()
        ends = np.zeros(length, bool) if clip.ends is None else clip.ends.numpy()
        return steps | {REWARD: np.append(rewards[1:], np.float32(0)), DONE: np.append(ends[1:], False)}

    def _info(self) -> dict[str, Any]:
        fps = int(self.first.fps) if float(self.first.fps).is_integer() else self.first.fps
        return {
            "codebase_version": _VERSION,
            "robot_type": self.robot_type,
            "total_episodes": len(self.episodes),
            "total_frames": self.num_frames,
            "total_tasks": len(self.tasks),
            "chunks_size": _FILES_A_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": fps,
            "splits": {"train": f"0:{len(self.episodes)}"},
            "data_path": _DATA,
            "video_path": _VIDEO,
            "features": self._features(fps),
        }

    def _features(self, fps: float) -> dict[str, Any]:
        height, width = (side + side % 2 for side in self.first.frames.shape[1:3])
        coding = {"video.codec": "h264", "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "has_audio": False}
        shape = {"video.height": height, "video.width": width, "video.channels": 3, "video.fps": fps}
        features: dict[str, Any] = {
            self.camera: {
                "dtype": "video",
                "shape": [height, width, 3],
                "names": ["height", "width", "channels"],
                "info": shape | coding,
            }
        }
        for name, kind in self._types.items():
            features[name] = {"dtype": kind.removesuffix("_"), "shape": [1], "names": None, "fps": fps}
        if self.space is not None:
            stated = {"action_space": self.space.to_json()}
            shape_of_action = {"dtype": "float32", "shape": [self.space.size], "names": list(self.space.names), "info": stated}
            features[ACTION] |= shape_of_action
        return features
