"""`Truth`: what truly happens for actions that nobody recorded, from the environment of a recording, run again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor

from ...data import fit_frames
from ...data.worlds import Recording, World, WorldError, WorldSpec, run_actions
from ...sample import Bundle
from .trying import Rows

_SAME_RATE = 0.01  # share by which two rates may differ


@dataclass(frozen=True, eq=False)
class History:
    """An episode up to some frame.

    Attributes:
        seed: From which its environment began.
        actions: float32 `[F, A]`, those of all frames up to that one; the first says nothing.
    """

    seed: int
    actions: Rows


class Truth(Protocol):
    """What truly happens, for actions that nobody recorded."""

    name: str
    """Which environment."""

    def history(self, file: str, frames: int) -> History | None:
        """The first frames of the episode that a video shows; None if it cannot be run again."""

    def run(self, history: History, rows: Rows) -> Tensor | None:
        """What truly follows.

        Args:
            history: What was done before.
            rows: float32 `[T, A]`, what is done next.

        Returns:
            uint8 `[T, H, W, 3]`; None if the episode ends before.
        """

    def close(self) -> None:
        """Ends the environment; it opens again if it is run again."""


class Environment:
    """The true environment of a recording.

    Args:
        spec: Which.
        size: Rows and columns of the frames that are wanted.
        episodes: The recorded ones, whole, by the names of their videos.
    """

    def __init__(self, spec: WorldSpec, size: tuple[int, int], episodes: Mapping[str, History]):
        self.name, self._spec, self._size, self._episodes = spec.env_id, spec, size, dict(episodes)

    @cached_property
    def _world(self) -> World:
        """Opened once: some take a second to begin."""
        return World(self._spec)

    def open(self) -> None:
        """Opens it, if it is not open.

        Raises:
            WorldError: It is not installed, or does not open.
        """
        _ = self._world

    def history(self, file: str, frames: int) -> History | None:
        """As `Truth.history`."""
        known = self._episodes.get(file)
        return None if known is None or len(known.actions) < frames else replace(known, actions=known.actions[:frames])

    def run(self, history: History, rows: Rows) -> Tensor | None:
        """As `Truth.run`."""
        whole = np.concatenate([history.actions, rows])
        frames = run_actions(self._world, history.seed, whole)
        if len(frames) < len(whole):
            return None
        return fit_frames(frames[len(history.actions) :], self._size)

    def close(self) -> None:
        """As `Truth.close`."""
        if (world := vars(self).pop("_world", None)) is not None:
            world.close()


def open_truth(root: Path, bundle: Bundle) -> tuple[Truth | None, str]:
    """The environment of a recording, or why there is none to run again.

    Args:
        root: Folder of the recording.
        bundle: Whose size and rate are wanted.

    Returns:
        The environment, or None; and a sentence on it.
    """
    try:
        recording = Recording(root)
    except ValueError:  # videos with actions that were not recorded by this project
        return None, NO_TRUTH
    if recording.spec is None:
        return None, NO_TRUTH
    if abs(recording.fps / bundle.fps - 1) > _SAME_RATE:
        return None, (
            f"The recording has {recording.fps:g} frames/s and the bundle {bundle.fps:g}, so its environment is not run "
            "again for other actions."
        )
    episodes = {
        each.path.relative_to(root).as_posix(): History(each.seed, each.actions) for each in recording if each.seed is not None
    }
    truth = Environment(recording.spec, (bundle.height, bundle.width), episodes)
    try:
        truth.open()
    except WorldError as error:
        return None, f"The environment {truth.name} cannot be run here ({error}), so nothing is known of other actions."
    return truth, f"The true environment, {truth.name}, is run again for actions that nobody recorded."


NO_TRUTH = "There is no environment to run again, so the truth is known for the recorded actions only."
