"""`Player`: plays the episodes of a recording by their numbers, and writes their files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..foreign import FAILURES, told
from ..kinds import real, whole
from .choosing import policy_maker
from .environments import World
from .games import kind_of
from .playing import PolicyError, play_episode
from .policies import Policy
from .recording import Row, episode_name, write_episode
from .spec import WorldSpec


@dataclass(frozen=True)
class Play:
    """How an environment is played: all that decides its episodes, beside the environment itself.

    Raises:
        ValueError: A value is out of range.
    """

    policy: str = "held"
    """Who plays: a name of `choosing.NAMES`, or "module:function"."""
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


def policies_of(spec: WorldSpec, play: Play) -> Callable[[], Policy]:
    """What makes the policy of each episode.

    Raises:
        ValueError: There is no such policy, or no such button.
    """
    return policy_maker(play.policy, spec.action_space, play.on, play.hold)


class Player:
    """Plays the episodes of a recording by their numbers.

    Args:
        folder: Where their files are written.
        spec: The environment.
        play: How it is played.
        lossless: Whether videos keep every pixel.
        policy: Plays in place of the policy that `play` names.
    """

    def __init__(self, folder: Path, spec: WorldSpec, play: Play, lossless: bool, policy: Policy | None = None):
        self._folder, self._spec, self._play, self._lossless = folder, spec, play, lossless
        self._policies = policies_of(spec, play) if policy is None else lambda: policy
        self._world: World | None = World(spec)

    def __call__(self, number: int) -> Written:
        """Plays an episode and writes its files; after a failure, the next begins in a new environment."""
        play = self._play
        try:
            policy = self._policies()
        except FAILURES as error:
            return Written(None, f"the policy cannot be made: {told(error)}; mend the policy", is_policy=True)
        if self._world is None:
            self._world = World(self._spec)
        played = play_episode(self._world, policy, play.seed_of(number), play.max_frames, play.caption)
        if played.fault is not None:
            self.close()
        row = None
        if played.episode is not None:
            row = write_episode(self._folder, episode_name(number), played.episode, self._spec.fps, self._lossless)
        fault = None if played.fault is None else str(played.fault)
        return Written(row, fault, isinstance(played.fault, PolicyError))

    def close(self) -> None:
        """Ends the environment."""
        if self._world is not None:
            self._world.close()
            self._world = None


def default_play(spec: WorldSpec, **given: Any) -> Play:
    """How an environment is played: what is known of it, where nothing else is given.

    Args:
        spec: The environment.
        given: Fields of `Play`; those that are None are not given.
    """
    kind, names = kind_of(spec.env_id), spec.action_space.names
    known = {"caption": kind.caption_of(spec.env_id), "on": {name: share for name, share in kind.on.items() if name in names}}
    return Play(**{**known, **{name: value for name, value in given.items() if value is not None}})
