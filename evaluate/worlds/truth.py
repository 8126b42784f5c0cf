"""`Truth`: what truly happens for actions that nobody recorded, from the environment of a recording, run again."""

from collections.abc import Mapping
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


class Truth(Protocol):
    """What truly happens, for actions that nobody recorded."""

    name: str
    """Which environment."""

    def seed(self, file: str) -> int | None:
        """The seed of the episode that a video shows; None if it is not known."""

    def run(self, before: Rows, seed: int, rows: Rows) -> Tensor | None:
        """What truly follows.

        Args:
            before: float32 `[F, A]`, the actions of the first F frames of an episode, of which the first says nothing.
            seed: Of the episode.
            rows: float32 `[T, A]`, what is done next.

        Returns:
            uint8 `[T, H, W, 3]`; None if the episode ends before.
        """


class Environment:
    """The true environment of a recording.

    Args:
        spec: Which.
        size: Rows and columns of the frames that are wanted.
        seeds: Those of the recorded episodes, by the names of their videos.
    """

    def __init__(self, spec: WorldSpec, size: tuple[int, int], seeds: Mapping[str, int]):
        self.name, self._spec, self._size, self._seeds = spec.env_id, spec, size, dict(seeds)

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

    def seed(self, file: str) -> int | None:
        """The seed of the episode that a video shows; None if it is not known."""
        return self._seeds.get(file)

    def run(self, before: Rows, seed: int, rows: Rows) -> Tensor | None:
        """As `Truth.run`."""
        whole = np.concatenate([before, rows])
        frames = run_actions(self._world, seed, whole)
        if len(frames) < len(whole):
            return None
        return fit_frames(frames[len(before) :], self._size)


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
            f"The recording has {recording.fps:g} frames/s and the bundle {bundle.fps:g}, so its environment is not run again for "
            "other actions."
        )
    seeds = {str(each.path.relative_to(root)): each.seed for each in recording if each.seed is not None}
    truth = Environment(recording.spec, (bundle.height, bundle.width), seeds)
    try:
        truth.open()
    except WorldError as error:
        return None, f"The environment {truth.name} cannot be run here ({error}), so nothing is known of other actions."
    return truth, f"The true environment, {truth.name}, is run again for actions that nobody recorded."


NO_TRUTH = "There is no environment to run again, so the truth is known for the recorded actions only."
