"""`record`: many episodes of an environment into a folder, by several processes, and further where it stopped."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ..kinds import real, whole
from .environments import World
from .packages import WorldError
from .playing import PolicyError, play_episode
from .policies import policy_maker
from .recording import RecordingWriter, Row, episode_name, write_episode
from .spec import WorldSpec


@dataclass(frozen=True)
class Play:
    """How an environment is played: all that decides its episodes, beside the environment itself.

    Raises:
        ValueError: A value is out of range.
    """

    policy: str = "held"
    """Who plays: "random", "held", or "module:function"."""
    seed: int = 0
    """Decides the seeds of all episodes."""
    max_frames: int = 250
    """Frames of an episode at most."""
    caption: str = ""
    """What all videos show."""
    hold: float = 0.5
    """How long "held" holds something, in seconds, in the mean."""
    on: Mapping[str, float] = field(default_factory=dict)
    """How likely each button is on, for "random" and "held"."""

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0, 2**63, "a whole number of 0 or more")
        whole("max_frames", self.max_frames, 2, 10**6, "2 or more frames an episode, at most a million")
        real("hold", self.hold, 1e-6, 1e6, "seconds above 0")

    def seed_of(self, number: int) -> int:
        """The seed of an episode, from 0 to 4294967295."""
        return int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])


@dataclass(frozen=True)
class Written:
    """What became of an episode."""

    row: Row | None
    """Its line; None if nothing was whole."""
    fault: str | None = None
    """What cut it off, in words."""
    is_policy: bool = False
    """Whether the policy failed, and not the environment."""


class Player:
    """Plays the episodes of a recording by their numbers.

    Args:
        folder: Where their files are written.
        spec: The environment.
        play: How it is played.
        lossless: Whether videos keep every pixel.
    """

    def __init__(self, folder: Path, spec: WorldSpec, play: Play, lossless: bool):
        self._folder, self._spec, self._play, self._lossless = folder, spec, play, lossless
        self._policies = policy_maker(play.policy, spec.action_space, play.on, play.hold)
        self._world = World(spec)

    def __call__(self, number: int) -> Written:
        """Plays an episode and writes its files; after a failure, the next begins in a new environment."""
        play = self._play
        played = play_episode(self._world, self._policies(), play.seed_of(number), play.max_frames, play.caption)
        if played.fault is not None:
            self._world.close()
            self._world = World(self._spec)
        row = None
        if played.episode is not None:
            row = write_episode(self._folder, episode_name(number), played.episode, self._spec.fps, self._lossless)
        fault = None if played.fault is None else str(played.fault)
        return Written(row, fault, isinstance(played.fault, PolicyError))

    def close(self) -> None:
        """Ends the environment."""
        self._world.close()


def record(
    folder: str | Path,
    spec: WorldSpec,
    play: Play,
    *,
    episodes: int | None = None,
    minutes: float | None = None,
    lossless: bool = False,
) -> Iterator[Row]:
    """Records until there are so many episodes, or so many minutes; yields the line of each as it is written.

    Args:
        folder: Where to record; a recording of the same settings goes on.
        spec: The environment.
        play: How it is played.
        episodes: How many episodes there shall be, with those of before.
        minutes: Or how many minutes of video.
        lossless: Whether videos keep every pixel.
    """
    writer = RecordingWriter(folder, spec.action_space, spec.fps, spec, asdict(play), lossless)
    player = Player(writer.folder, spec, play, lossless)
    try:
        while (episodes is None or len(writer.rows) < episodes) and (
            minutes is None or writer.num_frames < minutes * 60 * spec.fps
        ):
            written = player(len(writer.rows))
            if written.row is not None:
                writer.append(written.row, play.caption)
                yield written.row
            if written.fault is not None:
                raise WorldError(written.fault)
    finally:
        player.close()
