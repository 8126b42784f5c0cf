"""Recordings of robots from a LeRobotDataset, cut into captioned clips with actions."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil, inf, nextafter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..actions import ActionSpace, Steps, check_delay, resample
from ..clips import Caption, CaptionedClip, ClipSource
from ..images import MAX_FPS
from ..kept import KeptClips
from ..kinds import as_path, real, sides, whole
from ..recorded import read_space, rows_of_space, space_of_numbers
from ..scans import ScanIndex
from ..video import READER_VERSION, VideoError, VideoReader
from .episodes import Episode, EpisodeRows, read_episodes, read_rows
from .info import LeRobotInfo, read_info

_SLACK = 0.001
"""Seconds that a stored frame may seem late, as the reader of videos forgives them."""


@dataclass(frozen=True, eq=False)
class _Recorded:
    """An episode with what was done in it."""

    episode: Episode
    steps: Steps | None
    tasks: tuple[str, ...]


class LeRobotFolder(ClipSource):
    """The episodes of a LeRobotDataset of version 3, or 2.1, each cut into as many clips as it holds.

    The video is that of one camera, the captions are the tasks. An action stands beside the observation that it was chosen from,
    so it shows one frame later: row t of a clip is what was chosen at frame t - 1. The same holds for `next.reward` and
    `next.done`. Needs pyarrow (the extra `worlds`). Episodes that cannot be used are named, with the reason, in `skipped`.

    Args:
        root: The folder, which has `meta/info.json` in it.
        num_frames: Frames in a clip.
        size: Rows and columns of a frame, or one number for a square; videos are scaled to cover it, then cropped.
        fps: Frames per second of a clip.
        camera: The feature that is shown, such as "observation.images.top"; None takes the first one.
        episodes: Numbers of the episodes to use; None takes all.
        step: Frames from the start of a clip to that of the next one; None is `num_frames`.
        action_space: What the actions are: a space, its plain values, or a JSON file of it. None takes what `write_lerobot` has
            stated, or else axes over the range of the actions in the episodes in use.
        action_delay: Stored frames that pass until an action shows, beyond the one said above.
        cache_bytes: Memory for decoded clips, in bytes.

    Raises:
        ValueError: If the folder cannot be read, an argument is out of range, or no clip is left.
    """

    skipped: dict[str, str]
    """Why an episode was left out, by "episode 3"."""

    def __init__(
        self,
        root: str | Path,
        num_frames: int = 17,
        size: int | tuple[int, int] = 64,
        fps: float = 12.0,
        camera: str | None = None,
        episodes: Sequence[int] | None = None,
        step: int | None = None,
        action_space: dict[str, Any] | str | Path | ActionSpace | None = None,
        action_delay: int = 0,
        cache_bytes: int = 2 * 1024**3,
    ):
        self.root = as_path(root, "the folder of a LeRobotDataset")
        self.height, self.width = sides("size", size)
        self.num_frames = whole("num_frames", num_frames, 1, inf, "a whole number of frames in a clip, at least 1")
        self.fps = real("fps", fps, nextafter(0, 1), MAX_FPS, f"frames per second above 0 and up to {MAX_FPS:g}")
        wanted = f"1 to {num_frames} frames, the length of a clip"
        self.step = self.num_frames if step is None else whole("step", step, 1, self.num_frames, wanted)
        self._delay = whole("action_delay", action_delay, 0, inf, "a whole number of frames, at least 0")
        self._info = read_info(self.root)
        self.camera = _camera(self._info, camera, self.root)
        self.skipped = {}
        found = self._rows(episodes)
        self.action_space = self._space(found, read_space(action_space))
        self._recorded = [each for episode, rows in found.items() if (each := self._checked(episode, rows)) is not None]
        self._windows = [(each, first) for each in self._recorded for first in self._starts(each.episode)]
        self._cached = KeptClips(cache_bytes)
        if not self._windows:
            raise ValueError(f"no clip can be made from {self.root}: {self._reasons()}")
        if self.action_space is not None:
            steps = (self._steps_of(each, self._places(first)) for each, first in reversed(self._windows))
            check_delay(self._delay, steps, max(each.episode.length for each in self._recorded))

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of a dataset with {len(self)} clips")
        index %= len(self)
        recorded, first = self._windows[index]
        frames = self._cached.get(index)
        if frames is None:
            frames = self._read(recorded.episode, first)
            self._cached.keep(index, frames)
        shown = self._places(first)
        name = f"episode {recorded.episode.number}@{first / self.fps:.2f}s"
        return CaptionedClip(frames, _captions(recorded.tasks, shown), self.fps, name, **self._steps(recorded, shown))

    @property
    def seconds_of_video(self) -> float:
        """Seconds of video in all clips; where clips overlap, it counts once."""
        lengths = [len(self._starts(each.episode)) for each in self._recorded]
        return sum((number - 1) * self.step + self.num_frames for number in lengths if number) / self.fps

    def summary(self) -> str:
        """One line: how many clips from how many episodes, the actions, and which episodes were left out."""
        used = len({recorded.episode.number for recorded, _ in self._windows})
        line = f"{len(self):,} clips of {self.num_frames} frames at {self.fps:g} fps from {used} episodes in {self.root}"
        if self.action_space is not None:
            names = self.action_space.names
            line += f"; actions: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
        if self.skipped:
            line += (
                f"; {len(self.skipped)} skipped: {', '.join(islice(self.skipped, 3))}{' ...' if len(self.skipped) > 3 else ''}"
            )
        return line

    def fingerprint(self) -> dict[str, Any]:
        """What the clips depend on: the settings, and hashes of the videos, the tasks and the actions in use."""
        index = ScanIndex(self.root)
        used = list({recorded.episode.number: recorded for recorded, _ in self._windows}.values())
        videos = [[file, index.hash_of(file)] for file in dict.fromkeys(recorded.episode.video for recorded in used)]
        index.save()
        about = [[r.episode.number, r.episode.length, r.episode.video, r.episode.start, r.tasks] for r in used]
        settings = {"num_frames": self.num_frames, "size": [self.height, self.width], "fps": self.fps, "step": self.step}
        contents = {"episodes": len(used), "videos": _hash([videos, about]), "actions": _hash_of_steps(used)}
        space = None if self.action_space is None else self.action_space.to_json()
        return (
            {"class": type(self).__name__, "reader": READER_VERSION, "num_clips": len(self)}
            | settings
            | contents
            | {
                "camera": self.camera,
                "action_space": space,
            }
        )

    def _rows(self, numbers: Sequence[int] | None) -> dict[Episode, EpisodeRows]:
        """The episodes that are wanted and can be read."""
        episodes = read_episodes(self.root, self._info, self.camera)
        if numbers is not None:
            missing = sorted(set(numbers) - {episode.number for episode in episodes})
            if missing:
                raise ValueError(
                    f"got episodes {missing[:8]}, and {self.root} has 0 to {len(episodes) - 1}; wanted some of these"
                )
            episodes = [episode for episode in episodes if episode.number in set(numbers)]
        found: dict[Episode, EpisodeRows] = {}
        for episode, rows in read_rows(self.root, self._info, episodes):
            if isinstance(rows, ValueError):
                self.skipped[f"episode {episode.number}"] = str(rows)
            else:
                found[episode] = rows
        return found

    def _space(self, found: Mapping[Episode, EpisodeRows], given: ActionSpace | None) -> ActionSpace | None:
        names, rows = self._info.action_names, [each.actions for each in found.values() if each.actions is not None]
        if names is None or not rows:
            return None
        stated = self._info.action_about.get("action_space")
        if given is not None or stated is not None:
            return given or ActionSpace.from_json(stated)
        return space_of_numbers(names, np.concatenate([each for each in rows if each.shape[1] == len(names)] or [rows[0][:0]]))

    def _checked(self, episode: Episode, rows: EpisodeRows) -> _Recorded | None:
        """The episode with its steps, unless they are no actions of the space or it is too short."""
        name, steps = f"episode {episode.number}", None
        try:
            if rows.actions is not None and self.action_space is not None:
                actions = rows_of_space(rows.actions, self._info.action_names, self.action_space, own_units=True)
                steps = rows.steps(actions, self._delay)
            if not (self.root / episode.video).is_file():
                raise ValueError(f"{episode.video} is missing; copy it here")
            if not self._starts(episode):
                raise ValueError(
                    f"has {self._num_moments(episode)} frames at {self.fps:g} fps; wanted {self.num_frames}; lower `num_frames`, "
                    "or raise `fps`"
                )
        except ValueError as error:
            self.skipped[name] = str(error)
            return None
        return _Recorded(episode, steps, rows.tasks)

    def _num_moments(self, episode: Episode) -> int:
        return ceil(episode.length * self.fps / self._info.fps - 1e-6)

    def _starts(self, episode: Episode) -> range:
        """The first moments of its clips."""
        return range(0, self._num_moments(episode) - self.num_frames + 1, self.step)

    def _places(self, first: int) -> list[int]:
        """The stored frames of an episode that a clip shows."""
        return [self._shown(first + number) for number in range(self.num_frames)]

    def _shown(self, moment: int) -> int:
        """The stored frame of an episode that is shown at a moment, as the reader of videos chooses it."""
        rate = self._info.fps
        return int((moment / self.fps + min(_SLACK, 1 / rate / 8) + 1e-6) * rate)

    def _read(self, episode: Episode, first: int) -> Tensor:
        path, start = self.root / episode.video, episode.start + first / self.fps
        with VideoReader(path, fps=self.fps, size=(self.height, self.width), start=start) as reader:
            pictures = list(islice(reader, self.num_frames))
        if len(pictures) < self.num_frames:
            why = f" ({reader.damage})" if reader.damage else ""
            raise VideoError(
                f"{path} ends {len(pictures)} frames after {start:.2f} s{why}; wanted {self.num_frames} of episode "
                f"{episode.number}; copy it anew or leave the episode out by `episodes`"
            )
        return torch.from_numpy(np.stack(pictures))

    def _steps(self, recorded: _Recorded, shown: Sequence[int]) -> dict[str, Tensor | None]:
        steps = self._steps_of(recorded, shown)
        if steps is None:
            return {}
        values = {"actions": steps.actions, "rewards": steps.rewards, "ends": steps.ends}
        return {name: None if rows is None else torch.from_numpy(rows) for name, rows in values.items()}

    def _steps_of(self, recorded: _Recorded, shown: Sequence[int]) -> Steps | None:
        """What was done between some stored frames of an episode; None if nothing is said of it."""
        if recorded.steps is None or self.action_space is None:
            return None
        return resample(recorded.steps, self.action_space, shown)

    def _reasons(self) -> str:
        return "; ".join(f"{name}: {why}" for name, why in islice(self.skipped.items(), 10)) or "it has no episodes"


def _camera(info: LeRobotInfo, camera: str | None, root: Path) -> str:
    if not info.cameras or info.video_path is None:
        raise ValueError(f"{root} has no camera whose pictures are videos; wanted a feature of dtype video in its meta/info.json")
    if camera not in (None, *info.cameras):
        raise ValueError(f"got camera {camera!r}; wanted one of {', '.join(info.cameras)}")
    return camera or info.cameras[0]


def _captions(tasks: Sequence[str], shown: Sequence[int]) -> tuple[Caption, ...]:
    captions: list[Caption] = []
    for number, place in enumerate(shown):
        text = tasks[place].strip()
        if not captions or captions[-1].text != text:
            captions.append(Caption(number, text))
    return tuple(captions)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _hash_of_steps(recorded: Sequence[_Recorded]) -> str:
    digest = hashlib.sha256()
    for each in recorded:
        for rows in (each.steps.actions, each.steps.rewards, each.steps.ends) if each.steps is not None else ():
            digest.update(b"-" if rows is None else rows.tobytes())
    return digest.hexdigest()
