"""`RecordingWriter`: episodes of frames and actions in a folder that trainings read and that runs again in the true environment.

A recording is a folder:

- `recording.json`: the environment, the action space, frames per second, and how it was played;
- `actions.jsonl`: the action space, then an episode a line, with its files and its seed;
- `captions.jsonl`: what the videos show;
- of each episode a video, and `.npy` files of actions `[T, A]`, rewards `[T]` and ends `[T]`. Row t came between
  frames t - 1 and t.

An episode counts once its line stands in `actions.jsonl`, which is written last: a crash leaves an episode whole or absent.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..actions import ActionSpace
from ..caption_lines import CAPTIONS_FILE
from ..files import naming, replacing
from ..images import check_frames
from ..kinds import as_path
from ..recorded import ACTIONS_FILE
from ..video import Mp4Writer, write_video
from .spec import WorldSpec

try:
    import fcntl
except ImportError:  # not on Windows, where nobody is warned
    fcntl = None  # type: ignore[assignment]

ABOUT_FILE = "recording.json"
_CLAIM = ".recording.lock"
KIND, VERSION = "framecast recording", 1
_SHORTEST = 2
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Episode:
    """What happened from a reset on.

    Raises:
        ValueError: Frames, actions, rewards and ends are not of one length, or are too few.
    """

    frames: NDArray[np.uint8]
    """`[T, H, W, 3]`."""
    actions: NDArray[np.float32]
    """`[T, A]`: row t was done between frames t - 1 and t; row 0 is unknown."""
    rewards: NDArray[np.float32] | None = None
    """`[T]`: what the actions of a row brought; row 0 is NaN. None if there are no rewards."""
    ends: NDArray[np.bool_] | None = None
    """`[T]`: whether the environment ended there of its own. None if nobody knows."""
    seed: int | None = None
    """The environment's, if it has one."""
    caption: str = ""
    """What the frames show."""
    cut: str | None = None
    """Why it ended early, if something failed."""

    def __post_init__(self) -> None:
        count = len(check_frames(self.frames, fps=1))
        if count < _SHORTEST:
            raise ValueError(f"got an episode of {count} frames; wanted {_SHORTEST} or more, with an action between")
        parts = {"actions": self.actions, "rewards": self.rewards, "ends": self.ends}
        for name, rows in parts.items():
            if rows is not None and len(rows) != count:
                raise ValueError(f"got {len(rows)} rows of {name} for {count} frames; wanted a row for each frame")


def write_episode(folder: Path, name: str, episode: Episode, fps: float, lossless: bool = False) -> Row:
    """Writes the files of an episode, each whole or not at all; returns its line, which makes it count.

    Args:
        folder: The recording.
        name: Of the files, without a suffix.
        episode: What happened.
        fps: Frames per second.
        lossless: Whether the video keeps every pixel, in about four times the room.

    Raises:
        WriteError: A file cannot be written.
    """
    row: Row = {"file": f"{name}.mkv" if lossless else f"{name}.mp4"}
    if lossless:
        write_video(folder / row["file"], episode.frames, fps)
    else:
        rows, columns = episode.frames.shape[1:3]
        with replacing(folder / row["file"]) as temporary, Mp4Writer(temporary, rows, columns, fps, full_colour=True) as writer:
            writer.write(episode.frames)
    arrays = {"actions": episode.actions, "rewards": episode.rewards, "ends": episode.ends}
    for what, array in arrays.items():
        if array is not None:
            row[what] = f"{name}.{what}.npy"
            with replacing(folder / row[what]) as temporary, temporary.open("wb") as file:
                np.save(file, array)
    about = {"seed": episode.seed, "timing": "shown", "num_frames": len(episode.frames), "cut": episode.cut}
    return {**row, **{name: value for name, value in about.items() if value is not None}}


class RecordingWriter:
    """Adds episodes to a folder, a new one or one that was begun before. Several threads may add to one.

    Args:
        folder: Where to write; made if it is not there.
        space: What the actions say.
        fps: Frames per second.
        spec: The environment, if it can be run again.
        about: How it is played, as plain values; what a recording is begun with, it goes on with.
        lossless: Whether videos keep every pixel.

    Raises:
        ValueError: The folder holds something else, or a recording of other settings.
        WriteError: It cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        space: ActionSpace,
        fps: float,
        spec: WorldSpec | None = None,
        about: Mapping[str, Any] | None = None,
        lossless: bool = False,
    ):
        self.folder, self.space, self.fps, self._lossless = as_path(folder, "a folder to record in"), space, fps, lossless
        self._lock = threading.Lock()
        head = {
            "kind": KIND,
            "version": VERSION,
            "fps": fps,
            "lossless": lossless,
            "action_space": space.to_json(),
            "spec": None if spec is None else spec.to_json(),
            "about": json.loads(json.dumps(dict(about or {}))),
        }
        self._begin(head)

    @property
    def names(self) -> tuple[str, ...]:
        """The episodes that are whole, in the order of their lines."""
        return tuple(Path(row["file"]).stem for row in self.rows)

    @property
    def num_frames(self) -> int:
        """The frames of all episodes."""
        return sum(row["num_frames"] for row in self.rows)

    def add(
        self,
        frames: ArrayLike,
        actions: ArrayLike,
        rewards: ArrayLike | None = None,
        ends: ArrayLike | None = None,
        name: str | None = None,
        seed: int | None = None,
        caption: str = "",
    ) -> Row:
        """Adds an episode; returns its line.

        Args:
            frames: uint8 `[T, H, W, 3]`, T at least 2.
            actions: `[T, A]`: row t was done between frames t - 1 and t; row 0 is NaN, unless it is known.
            rewards: `[T]`, NaN where there is none.
            ends: `[T]`, whether the world ended at a frame.
            name: Of the files, without a suffix; none gives the next number.
            seed: From which the environment began.
            caption: What the frames show.

        Raises:
            ActionError: An action is none of the space.
            ValueError: The lengths differ, or the name is taken.
            WriteError: A file cannot be written.
        """
        episode = Episode(
            np.asarray(frames),
            self.space.check(np.asarray(actions, np.float32), "actions"),
            None if rewards is None else np.asarray(rewards, np.float32),
            None if ends is None else np.asarray(ends, np.bool_),
            seed,
            caption,
        )
        with self._lock:
            name = name or episode_name(len(self.rows))
            if name in self.names:
                raise ValueError(f"got an episode {name}, which {self.folder} has already; wanted a new name, or none")
            row = write_episode(self.folder, name, episode, self.fps, self._lossless)
            self._append(row, caption)
        return row

    def append(self, row: Row, caption: str = "") -> None:
        """Makes an episode count whose files `write_episode` has written."""
        with self._lock:
            self._append(row, caption)

    def close(self) -> None:
        """Lets other processes record in the folder."""
        self._claim.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _append(self, row: Row, caption: str) -> None:
        _add_line(self.folder / CAPTIONS_FILE, {"file": row["file"], "caption": caption})
        _add_line(self.folder / ACTIONS_FILE, row)
        self.rows.append(row)

    def _begin(self, head: dict[str, Any]) -> None:
        folder, known = self.folder, self.folder / ABOUT_FILE
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._claim = _claim(folder)
        if known.is_file():
            _check_same(folder, read_head(folder), head)
        elif any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ValueError(f"got {folder}, which holds other files; wanted a new folder, an empty one, or a recording")
        else:
            _write(known, json.dumps(head, indent=1) + "\n")
        lines = read_lines(folder / ACTIONS_FILE)
        self.rows: list[Row] = [line for line in lines if "file" in line]
        counted = {row["file"] for row in self.rows}
        captions = [line for line in read_lines(folder / CAPTIONS_FILE) if line.get("file") in counted]
        _write(folder / CAPTIONS_FILE, _as_lines(captions))
        _write(folder / ACTIONS_FILE, _as_lines([{"action_space": head["action_space"], "units": "space"}, *self.rows]))


def episode_name(number: int) -> str:
    """How the files of an episode are called if nobody says."""
    return f"episode_{number:05d}"


def read_head(folder: Path) -> dict[str, Any]:
    """What `recording.json` says.

    Raises:
        ValueError: There is none, or it is no recording's.
    """
    path = folder / ABOUT_FILE
    try:
        head = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"got {folder}, whose {ABOUT_FILE} cannot be read ({error}); wanted a recording") from error
    if not isinstance(head, dict) or head.get("kind") != KIND or head.get("version") != VERSION:
        raise ValueError(f"got {path}, which is not of a {KIND} of version {VERSION}; record anew, with this version")
    return head


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of JSON objects; one that a crash has cut off at the end is left out.

    Raises:
        ValueError: Another line is no JSON object.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"got {path} line {number}, which is no JSON ({error}); mend or remove the line") from error
        if not isinstance(row, dict):
            raise ValueError(f"got {path} line {number}, which is no JSON object; mend or remove the line")
        rows.append(row)
    return rows


def _claim(folder: Path) -> BinaryIO:
    """An open file by which other processes know that one records here; it is free again when that process has ended.

    Raises:
        ValueError: Another process records here.
    """
    file = (folder / _CLAIM).open("ab")
    if fcntl is not None:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise ValueError(f"got {folder}, in which another process records; end that one, or record elsewhere") from error
    return file


def _check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises ValueError if a recording was begun otherwise; with other keys for the same buttons it goes on."""
    before, now = _comparable(before), _comparable(now)
    flat = [{"spec": head.get("spec"), **head, **{f"about.{k}": v for k, v in head["about"].items()}} for head in (before, now)]
    for name in dict.fromkeys((*flat[0], *flat[1])):
        old, new = (head.get(name) for head in flat)
        if old != new and name != "about":
            what = name.removeprefix("about.")
            if name == "spec" and isinstance(old, dict) and isinstance(new, dict):
                if old.get("env_id") != new["env_id"]:
                    raise ValueError(
                        f"got another environment for {folder}, {new['env_id']!r:.80}; it was begun with "
                        f"{old.get('env_id')!r:.80}; record in another folder"
                    )
                what = next(key for key in new if old.get(key) != new[key])
                old, new = old.get(what), new[what]
            raise ValueError(
                f"got {what} {new!r:.80} for {folder}, which was begun with {old!r:.80}; wanted the same, to go on; "
                "or record in another folder"
            )


def _comparable(head: dict[str, Any]) -> dict[str, Any]:
    spec = head.get("spec")
    spec = {**spec, "action_space": _without_keys(spec.get("action_space"))} if isinstance(spec, dict) else spec
    return {**head, "action_space": _without_keys(head.get("action_space")), "spec": spec}


def _without_keys(values: Any) -> Any:
    """An action space as plain values, without the keys that hold buttons and axes."""
    if isinstance(values, list):
        return [_without_keys(each) for each in values]
    if not isinstance(values, dict):
        return values
    return {name: _without_keys(each) for name, each in values.items() if name not in ("key", "keys")}


def _add_line(path: Path, row: Mapping[str, Any]) -> None:
    with naming(path), path.open("ab") as file:
        file.write(_as_lines([row]).encode())
        file.flush()
        os.fsync(file.fileno())


def _as_lines(rows: "list[Mapping[str, Any]] | list[Row]") -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
