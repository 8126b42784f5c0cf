"""`Recording`: what was recorded, episode by episode, and each run again in the true environment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..actions import ActionSpace
from ..caption_lines import CAPTIONS_FILE
from ..counted import counted
from ..kinds import as_path, real
from ..recorded import ACTIONS_FILE
from ..video import read_video
from .environments import World
from .games import Picture
from .packages import WorldError
from .recording import Row, read_head, read_lines
from .spec import WorldSpec


@dataclass(frozen=True, eq=False)
class RecordedEpisode:
    """An episode of a recording, whose frames are read when they are asked for."""

    path: Path
    """Its video."""
    actions: NDArray[np.float32]
    """`[T, A]`: row t was done between frames t - 1 and t; row 0 is NaN."""
    rewards: NDArray[np.float32] | None
    """`[T]`, or None if there are none."""
    ends: NDArray[np.bool_] | None
    """`[T]`, or None if nobody knows."""
    seed: int | None
    """From which its environment began, if there is one."""
    caption: str
    """What it shows."""
    cut: str | None
    """Why it ended early, if something failed."""

    @property
    def name(self) -> str:
        """Of its files, without a suffix."""
        return self.path.stem

    def frames(self) -> Picture:
        """uint8 `[T, H, W, 3]`, as the video keeps them."""
        return read_video(self.path).frames.numpy()


class Recording(Sequence[RecordedEpisode]):
    """A folder of `framecast record`, or of a saved play session.

    Args:
        folder: The recording.

    Raises:
        ValueError: It is none, or damaged.

    Attributes:
        space: What the actions say.
        spec: The environment, if there is one to run again.
        fps: Frames per second.
        about: How it was played.
    """

    def __init__(self, folder: str | Path):
        self._folder = as_path(folder, "a recording")
        head = read_head(self._folder)
        self.space = ActionSpace.from_json(head.get("action_space"))
        self.spec = None if head.get("spec") is None else WorldSpec.from_json(head["spec"])
        self.fps = real("fps", head.get("fps"), 1e-3, 1000, "frames per second")
        self.about: dict[str, Any] = dict(head.get("about") or {})
        self._rows = [row for row in read_lines(self._folder / ACTIONS_FILE) if "file" in row]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return self._episode(self._rows[index])

    def __iter__(self) -> Iterator[RecordedEpisode]:
        return map(self._episode, self._rows)

    @property
    def num_frames(self) -> int:
        """The frames of all episodes."""
        return sum(int(row["num_frames"]) for row in self._rows)

    def summary(self) -> str:
        """One line: how much there is, and of what."""
        cut = sum("cut" in row for row in self._rows)
        much = f"{counted(len(self), 'episode')}, {counted(self.num_frames, 'frame')}"
        return (
            f"{much}, {self.num_frames / self.fps / 60:.1f} min at {self.fps:.4g} fps, "
            f"of {'play' if self.spec is None else self.spec.env_id} with {', '.join(self.space.names)}"
            + (f"; {cut} cut off" if cut else "")
        )

    def _episode(self, row: Row) -> RecordedEpisode:
        actions = self.space.check(self._array(row, "actions"), f"actions of {row['file']}")
        rewards, ends = (self._array(row, name) if name in row else None for name in ("rewards", "ends"))
        caption = self._captions.get(row["file"], "")
        return RecordedEpisode(self._folder / row["file"], actions, rewards, ends, row.get("seed"), caption, row.get("cut"))

    def _array(self, row: Row, name: str) -> NDArray[Any]:
        path = self._folder / str(row.get(name))
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"got {path}, which cannot be read ({error}); record the episode anew") from error

    @cached_property
    def _captions(self) -> dict[str, str]:
        return {row["file"]: row.get("caption") or "" for row in read_lines(self._folder / CAPTIONS_FILE) if "file" in row}


def run_actions(world: World, seed: int, actions: NDArray[np.floating]) -> Picture:
    """The frames of a world from a seed under given actions; the world stays at the last of them, to go on from there.

    Args:
        world: The environment.
        seed: From which it begins.
        actions: `[T, A]`: row t is done between frames t - 1 and t; row 0 is not used.

    Returns:
        uint8 `[T, H, W, 3]`; fewer if the world ends before.
    """
    rows = world.action_space.check(np.asarray(actions, np.float32), "actions")
    frames = [world.reset(seed)]
    for row in rows[1:]:
        if world.is_over:
            break
        frames.append(world.step(row).frame)
    return np.stack(frames)


def replay_episode(spec: WorldSpec | None, seed: int | None, actions: NDArray[np.floating]) -> Picture:
    """What an environment shows from a seed under given actions: those of a recording, or others.

    Args:
        spec: The environment.
        seed: From which it begins.
        actions: `[T, A]`: row t is done between frames t - 1 and t; row 0 is not used.

    Returns:
        uint8 `[T, H, W, 3]`; fewer if the environment ends before.

    Raises:
        WorldError: There is no environment to run again, or it is not installed.
    """
    if spec is None or seed is None:
        raise WorldError("got an episode without an environment or a seed, such as one of a play session; wanted a recorded one")
    with World(spec) as world:
        return run_actions(world, seed, actions)
