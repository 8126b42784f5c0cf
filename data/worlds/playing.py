"""`play_episode`: an episode of a world under a policy, which keeps what was whole if something fails."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..actions import ActionError
from ..foreign import FAILURES, told
from .environments import World
from .games import Picture
from .packages import WorldError
from .policies import Policy
from .recording import Episode
from .spaces import Row


class PolicyError(ValueError):
    """A policy that failed, or gave what is no action."""


@dataclass(frozen=True)
class Played:
    """An episode, and what failed in it."""

    episode: Episode | None
    """None if there were not two frames."""
    fault: WorldError | PolicyError | None = None
    """What cut it off."""


def play_episode(world: World, policy: Policy, seed: int, max_frames: int, caption: str = "") -> Played:
    """Plays from a seed until the world ends, its time is over, there are enough frames, or the policy raises StopIteration.

    Args:
        world: The environment.
        policy: Who plays; its random numbers depend on the seed alone.
        seed: Of the environment and the policy.
        max_frames: Frames at most.
        caption: What the frames show.
    """
    rng = np.random.default_rng([seed, 1])
    frames: list[Any] = []
    rows: list[Any] = [world.action_space.unknown]
    rewards: list[Any] = [np.nan]
    ends: list[Any] = [False]
    fault: WorldError | PolicyError | None = None
    try:
        frames.append(world.reset(seed))
        row = world.action_space.nothing
        while len(frames) < max_frames and not world.is_over:
            try:
                row = _chosen(policy, frames, row, rng, world)
            except StopIteration:
                break
            step = world.step(row)
            for rest, value in ((frames, step.frame), (rows, row), (rewards, step.reward), (ends, step.end)):
                rest.append(value)
    except (WorldError, PolicyError) as error:
        fault = error
    if len(frames) < 2:
        return Played(None, fault)
    arrays = np.stack(frames), np.stack(rows), np.array(rewards, np.float32), np.array(ends)
    return Played(Episode(*arrays, seed, caption, None if fault is None else str(fault)), fault)


def _chosen(policy: Policy, frames: list[Picture], previous: Row, rng: np.random.Generator, world: World) -> Row:
    """The action of a policy, as a row."""
    count = len(frames)
    try:
        # copies both ways: a policy may draw on what it gets, and change later what it gave
        row = world.action_space.action(policy(frames[-1].copy(), previous.copy(), rng, world)).copy()
    except StopIteration:
        raise  # it wants no more of this episode
    except ActionError as error:
        raise PolicyError(f"the policy gave no action after {count} frames: {error}") from error
    except FAILURES as error:
        raise PolicyError(f"the policy failed after {count} frames: {told(error)}; mend the policy") from error
    if np.isnan(row).any():
        raise PolicyError(f'the policy gave an unknown action after {count} frames; wanted a known one; "" is nothing')
    return row
