"""The episodes of a LeRobotDataset: which rows are theirs, and from where to where they go in which video."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..actions import Steps
from ..json_lines import json_lines
from ..parquet import read_parquet
from ..recorded import Numbers, numbers
from .info import ACTION, LeRobotInfo, filled

EPISODES, TASKS = "meta/episodes", "meta/tasks"
REWARD, DONE, EPISODE, TASK = "next.reward", "next.done", "episode_index", "task_index"
_UNNAMED = ("task", "__index_level_0__")  # what pandas calls the column of the tasks


@dataclass(frozen=True)
class Episode:
    """An episode and where it lies."""

    number: int
    """Which one it is."""
    length: int
    """Frames."""
    tasks: tuple[str, ...]
    """What was to be done."""
    data: str
    """Path of the file with its rows."""
    video: str
    """Path of the video of one camera."""
    start: float
    """Seconds of that video before it."""


@dataclass(frozen=True, eq=False)
class EpisodeRows:
    """The rows of an episode as they were written: row t beside frame t, done after it."""

    actions: Numbers | None
    """`[N, A]`; None if there are none."""
    rewards: Numbers | None
    """`[N]`."""
    ends: Numbers | None
    """`[N]`."""
    tasks: tuple[str, ...]
    """What was to be done, row by row; "" if nothing is said."""

    def steps(self, actions: Any, delay: int) -> Steps:
        """The steps, frame by frame: what was chosen at a frame has made the next one."""
        rewards = None if self.rewards is None else self.rewards.astype(np.float32)
        ends = None if self.ends is None else np.nan_to_num(self.ends) > 0
        return Steps(actions, rewards, ends).shifted(chosen=True, delay=delay)


def read_episodes(root: Path, info: LeRobotInfo, camera: str) -> list[Episode]:
    """All episodes, in order.

    Raises:
        ValueError: What is said of them cannot be read.
    """
    rows = _old_rows(root) if info.one_file_an_episode else _rows(root)
    try:
        found = [_old_episode(row, info, camera) if info.one_file_an_episode else _episode(row, info, camera) for row in rows]
    except (LookupError, TypeError, ValueError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"the episodes of {root} cannot be read ({why}); copy its folder meta/ anew") from error
    return sorted(found, key=lambda episode: episode.number)


def read_rows(root: Path, info: LeRobotInfo, episodes: Sequence[Episode]) -> Iterator[tuple[Episode, EpisodeRows | ValueError]]:
    """The rows of episodes, or why they cannot be read; each file is read once."""
    tasks = read_tasks(root, info)
    for file in dict.fromkeys(episode.data for episode in episodes):
        own = [episode for episode in episodes if episode.data == file]
        try:
            found = read_parquet(root / file, [ACTION, REWARD, DONE, EPISODE, TASK])
            columns = {name: np.asarray(rows) for name, rows in found.items()}
            numbered = columns[EPISODE].reshape(-1)
        except (ValueError, LookupError) as error:
            yield from ((episode, ValueError(str(error))) for episode in own)
            continue
        for episode in own:
            try:
                yield episode, _rows_of(episode, columns, numbered, tasks)
            except (TypeError, ValueError, LookupError) as error:
                yield episode, ValueError(str(error))


def read_tasks(root: Path, info: LeRobotInfo) -> dict[int, str]:
    """The tasks by number; none if they are not listed.

    Raises:
        ValueError: They cannot be read.
    """
    path = root / (f"{TASKS}.jsonl" if info.one_file_an_episode else f"{TASKS}.parquet")
    if not path.is_file():
        return {}
    try:
        if info.one_file_an_episode:
            rows = [json.loads(line) for _, line in json_lines(path, '{"task_index": 0, "task": "..."}')]
            return {int(row[TASK]): str(row["task"]) for row in rows}
        columns = read_parquet(path)
        texts = next(columns[name] for name in _UNNAMED if name in columns)
        return {int(number): str(text) for number, text in zip(columns[TASK], texts, strict=True)}
    except (LookupError, TypeError, ValueError, StopIteration) as error:
        raise ValueError(f"{path} lists no tasks ({error!s:.80}); copy it anew") from error


def _rows(root: Path) -> list[Mapping[str, Any]]:
    files = sorted((root / EPISODES).glob("*/*.parquet"))
    if not files:
        raise ValueError(f"{root / EPISODES} holds no parquet file; copy its folder meta/ anew")
    tables = [{name: rows for name, rows in read_parquet(file).items() if not name.startswith("stats/")} for file in files]
    return [dict(zip(table, row, strict=True)) for table in tables for row in zip(*table.values(), strict=True)]


def _old_rows(root: Path) -> list[Mapping[str, Any]]:
    try:
        return [json.loads(line) for _, line in json_lines(root / f"{EPISODES}.jsonl", '{"episode_index": 0, "length": 9}')]
    except ValueError as error:
        raise ValueError(f"the episodes of {root} cannot be read ({error}); copy its folder meta/ anew") from error


def _episode(row: Mapping[str, Any], info: LeRobotInfo, camera: str) -> Episode:
    data = filled(info.data_path, chunk_index=int(row["data/chunk_index"]), file_index=int(row["data/file_index"]))
    chunk, file = int(row[f"videos/{camera}/chunk_index"]), int(row[f"videos/{camera}/file_index"])
    video = filled(str(info.video_path), video_key=camera, chunk_index=chunk, file_index=file)
    start = float(row[f"videos/{camera}/from_timestamp"])
    return Episode(int(row[EPISODE]), int(row["length"]), _texts(row.get("tasks")), data, video, start)


def _old_episode(row: Mapping[str, Any], info: LeRobotInfo, camera: str) -> Episode:
    number = int(row[EPISODE])
    places = {"episode_chunk": number // info.chunk, EPISODE: number}
    data, video = filled(info.data_path, **places), filled(str(info.video_path), video_key=camera, **places)
    return Episode(number, int(row["length"]), _texts(row.get("tasks")), data, video, 0.0)


def _task(value: Any) -> int:
    if value is None or value != value:  # NaN, as pandas writes what is missing
        raise ValueError(f"got {value} as a {TASK}; wanted a whole number in each row, which meta/ lists; write it again")
    return int(value)


def _texts(tasks: Any) -> tuple[str, ...]:
    return tuple(map(str, tasks)) if isinstance(tasks, list | tuple | np.ndarray) else ()


def _rows_of(episode: Episode, columns: Mapping[str, Any], numbered: Any, tasks: Mapping[int, str]) -> EpisodeRows:
    own = np.flatnonzero(numbered == episode.number)
    if len(own) != episode.length:
        raise ValueError(
            f"got {len(own)} rows for {episode.length} frames; wanted a row for each frame; copy {episode.data} anew"
        )
    texts = [tasks.get(_task(task), "") for task in columns[TASK][own].reshape(-1)] if TASK in columns and tasks else []
    otherwise = [" ".join(episode.tasks[:1])] * episode.length
    actions = None
    if ACTION in columns:
        actions = numbers(columns[ACTION][own].reshape(len(own), -1), 2, "actions")
    rewards, ends = (numbers(columns[name][own].reshape(-1), 1, name) if name in columns else None for name in (REWARD, DONE))
    return EpisodeRows(actions, rewards, ends, tuple(texts or otherwise))
