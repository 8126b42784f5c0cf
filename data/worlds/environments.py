"""`World`: an environment as frames of one size, driven by rows of numbers; the truth against which a model is measured."""

import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...notices import Notice
from ..actions import ActionSpace
from ..foreign import FAILURES, told
from ..kinds import real, sides, whole
from .games import Picture, open_game, open_mapping
from .packages import WorldError, changed_versions, gymnasium, versions_of
from .spaces import Row
from .spec import WorldSpec, whole_skip


class Step(NamedTuple):
    """What came of an action."""

    frame: Picture
    """uint8 `[H, W, 3]`."""
    reward: float
    """The sum over the steps of the frame."""
    end: bool
    """The environment came to an end of its own: not because its time was over."""


class World:
    """An environment that shows frames and takes rows of numbers. Equal seeds and actions give equal frames, always.

    Args:
        spec: What environment it is.

    Raises:
        WorldError: The environment cannot be had.
        ActionError: It does not take the actions of the spec.

    Attributes:
        spec: What environment it is.
        is_over: Whether it has ended, or its time was over; then only `reset` goes on.
        num_frames: Frames since the last reset, the first counted.
    """

    def __init__(self, spec: WorldSpec):
        self.spec, self.is_over, self.num_frames, self._seed = spec, True, 0, 0
        if changed := changed_versions(spec.versions):
            warnings.warn(
                Notice(
                    f"{spec.env_id} was recorded with {'; '.join(changed)}; its frames may differ from what was recorded; "
                    "install the same versions to run it again exactly"
                ),
                stacklevel=2,
            )
        self._game = open_game(spec.env_id, spec.kwargs, spec.frame_skip)
        try:
            self._mapping = open_mapping(self._game, spec)
        except BaseException:
            self._game.close()
            raise

    @property
    def env(self) -> "gymnasium.Env[Any, Any]":
        """The environment itself, of which a policy may ask what no picture shows."""
        return self._game.env

    @property
    def action_space(self) -> ActionSpace:
        """What its actions are."""
        return self.spec.action_space

    def reset(self, seed: int) -> Picture:
        """The first frame of an episode, uint8 `[H, W, 3]`.

        Raises:
            WorldError: The environment failed.
        """
        self._seed = whole("seed", seed, 0, 2**32 - 1, "a whole number from 0 to 4294967295")
        self.num_frames, self.is_over = 0, True
        try:
            self._game.reset(self._seed)
            self._game.wait(self._mapping.to_env(self.action_space.nothing), self.spec.warmup)
            self._frame = self._look(None)
        except FAILURES as error:
            raise self._failed("reset", error) from error
        self.num_frames, self.is_over = 1, False
        return self._frame

    def step(self, row: NDArray[np.floating]) -> Step:
        """Does an action `[A]` until the next frame.

        Raises:
            ActionError: The action is none of the space, or unknown.
            WorldError: The environment failed, or has ended before.
        """
        if self.is_over:
            raise WorldError(f"got a step in {self.spec.env_id}, which has ended or was not begun; call `reset` first")
        action = self._mapping.to_env(row)
        try:
            outcome = self._game.advance(action)
            self._frame = self._look(self._frame)
        except FAILURES as error:
            self.is_over = True
            raise self._failed("step", error) from error
        self.num_frames += 1
        self.is_over = outcome.terminated or outcome.truncated
        return Step(self._frame, outcome.reward, outcome.terminated)

    def to_env(self, row: NDArray[np.floating]) -> Any:
        """What the environment takes for a row `[A]`."""
        return self._mapping.to_env(row)

    def from_env(self, action: Any) -> Row:
        """The row float32 `[A]` of an action as the environment takes it."""
        return self._mapping.from_env(action)

    def close(self) -> None:
        """Ends the environment."""
        self._game.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _look(self, before: Picture | None) -> Picture:
        """The frame of now; an environment without a picture at its end shows the one before."""
        picture = self._game.picture()
        if picture is not None:
            return _frame(picture, self.spec)
        if before is None:
            raise WorldError("there is no picture of the first moment")
        return before

    def _failed(self, what: str, error: BaseException) -> WorldError:
        return WorldError(
            f"{self.spec.env_id} failed in {what} after {self.num_frames} frames of seed {self._seed}: "
            f"{told(error)}; mend the environment, or take another seed"
        )


def open_world(spec: WorldSpec) -> World:
    """The environment of a spec, ready for `reset`."""
    return World(spec)


def world_spec(
    env_id: str,
    *,
    size: int | tuple[int, int] = 64,
    fps: float | None = None,
    frame_skip: int | None = None,
    crop: tuple[int, int, int, int] | None = None,
    warmup: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> WorldSpec:
    """How an environment is recorded: what is known of it, where nothing else is asked for.

    Args:
        env_id: Its id in Gymnasium's registry, or "module:Id-v0".
        size: Rows and columns of a frame.
        fps: Frames per second; the nearest that whole steps give. With `frame_skip`, the rate at which they are shown.
        frame_skip: Steps of the environment for a frame.
        crop: Rows from and to, and columns from and to, of the environment's picture.
        warmup: Steps before the first frame.
        kwargs: What `gymnasium.make` gets besides.

    Raises:
        WorldError: There is no such environment, or it needs what is not installed.
        ActionError: Its actions are of an unsupported kind.
        ValueError: A value is out of range.
    """
    game = open_game(env_id, kwargs or {})
    try:
        wanted = game.frame_rate if fps is None else real("fps", fps, 1e-3, 1000, "frames per second, above 0 and at most 1000")
        skip = max(1, round(game.rate / wanted)) if frame_skip is None else whole_skip(frame_skip)
        return WorldSpec(
            env_id,
            game.space(),
            fps=game.rate / skip if fps is None or frame_skip is None else fps,
            size=sides("size", size),
            frame_skip=skip,
            crop=crop or game.crop,
            warmup=game.warmup if warmup is None else warmup,
            kwargs=kwargs or {},
            controls=game.controls(),
            versions=versions_of(*game.packages),
        )
    finally:
        game.close()


def _frame(picture: Picture, spec: WorldSpec) -> Picture:
    """A picture, cropped and scaled by area."""
    if spec.crop is not None:
        top, bottom, left, right = spec.crop
        if bottom > picture.shape[0] or right > picture.shape[1]:
            raise ValueError(
                f"got crop {spec.crop} of a picture of {picture.shape[0]} x {picture.shape[1]}; wanted rows and columns within it"
            )
        picture = picture[top:bottom, left:right]
    if picture.shape[:2] == spec.size:
        return np.array(picture)
    rows, columns = spec.size
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((columns, rows), Image.Resampling.BOX))
