"""`Game`: an environment of Gymnasium with the picture of each frame; siblings for those that have a faster way to it."""

import copy
import importlib
import os
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from ...notices import Notice
from ..actions import ActionError, ActionSpace, Button
from ..foreign import FAILURES, told
from .controls import Controls
from .naming import named_mapping, with_keys
from .packages import WorldError, gymnasium, needing
from .spaces import ActionMapping, from_gymnasium
from .spec import WorldSpec

Picture = NDArray[np.uint8]


class Outcome(NamedTuple):
    """What came of the steps of one frame."""

    reward: float
    """The sum of their rewards."""
    terminated: bool
    """The environment came to an end."""
    truncated: bool
    """Its time was over."""


class Game(ABC):
    """An environment, and what is particular to its kind.

    Attributes:
        env: The environment, as `gymnasium.make` gives it.
    """

    frame_rate = 12.0
    """Frames per second at about which it is recorded if nobody says another."""
    crop: tuple[int, int, int, int] | None = None
    warmup = 0
    on: Mapping[str, float] = MappingProxyType({})
    """How likely its buttons are on under random keys."""
    packages: tuple[str, ...] = ("gymnasium", "numpy")
    """The modules of which the versions matter."""

    def __init__(self, env_id: str, kwargs: Mapping[str, Any], frame_skip: int = 1):
        self._skip = frame_skip
        self.env = self._make(env_id, dict(kwargs))

    @property
    def rate(self) -> float:
        """Steps per second."""
        return float(self.env.metadata.get("render_fps") or 30)

    @abstractmethod
    def advance(self, action: Any) -> Outcome:
        """Does an action for the steps of one frame, or until the end."""

    @abstractmethod
    def picture(self) -> Picture | None:
        """uint8 `[rows, columns, 3]` of now; None if the environment has none at its end."""

    def reset(self, seed: int) -> None:
        """Begins anew; the same seed begins alike, whatever came before."""
        self.env.reset(seed=seed)

    def wait(self, action: Any, steps: int) -> None:
        """Does an action for some steps that nobody sees."""
        for _ in range(steps):
            self.env.step(action)

    def space(self) -> ActionSpace:
        """Its actions, with names and keys that a person knows."""
        return with_keys(named_mapping(self.env).space)

    def controls(self) -> Mapping[str, tuple[float, ...]] | None:
        """As `WorldSpec.controls`."""
        return None

    def close(self) -> None:
        """Ends the environment; one that fails in that is named, and nothing is lost by it."""
        try:
            self.env.close()
        except FAILURES as error:
            warnings.warn(
                Notice(f"the environment failed as it was closed: {told(error)}; what is recorded is whole"), stacklevel=2
            )

    @classmethod
    def caption_of(cls, env_id: str) -> str:
        """What a person sees there."""
        return ""

    def _make(self, env_id: str, kwargs: dict[str, Any]) -> "gymnasium.Env[Any, Any]":
        return _make(env_id, kwargs)


class DrawnGame(Game):
    """Any environment that draws itself as an array of pixels."""

    def __init__(self, env_id: str, kwargs: Mapping[str, Any], frame_skip: int = 1):
        super().__init__(env_id, kwargs, frame_skip)
        module = type(self.env.unwrapped).__module__
        ours = module.split(".")[0] == __package__.split(".")[0]
        self.packages = type(self).packages if ours else tuple(dict.fromkeys((*type(self).packages, module)))

    def advance(self, action: Any) -> Outcome:
        total = 0.0
        for _ in range(self._skip):
            _, reward, terminated, truncated, _ = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return Outcome(total, bool(terminated), bool(truncated))

    def picture(self) -> Picture | None:
        drawn = self.env.render()
        shape = getattr(drawn, "shape", None)
        if not isinstance(drawn, np.ndarray) or drawn.dtype != np.uint8 or drawn.ndim != 3 or drawn.shape[2] != 3:
            raise WorldError(f"got a picture of type {type(drawn).__name__} and shape {shape}; wanted uint8 [rows, columns, 3]")
        return drawn


class CarGame(DrawnGame):
    """CarRacing, which draws a picture in each step: here only those that are looked at, in a hundredth of the time."""

    frame_rate = 12.5
    crop = (0, 84, 6, 90)
    """Without the dashboard, and as wide as it is high."""
    warmup = 50
    """The camera comes near in the first second."""
    on = MappingProxyType({"gas": 0.5, "brake": 0.12})
    packages = ("gymnasium", "numpy", "Box2D", "pygame")

    @classmethod
    def caption_of(cls, env_id: str) -> str:
        return "a car drives on a track"

    def picture(self) -> Picture | None:
        return self.env.unwrapped.picture()  # type: ignore[attr-defined]

    def space(self) -> ActionSpace:
        if not isinstance(self.env.action_space, gymnasium.spaces.Box):
            return with_keys(from_gymnasium(self.env.action_space, ["nothing", "right", "left", "gas", "brake"]).space)
        turns = (Button("left", "ArrowLeft", "turn"), Button("right", "ArrowRight", "turn"))
        return ActionSpace((*turns, Button("gas", "ArrowUp"), Button("brake", "ArrowDown")))

    def controls(self) -> Mapping[str, tuple[float, ...]] | None:
        if not isinstance(self.env.action_space, gymnasium.spaces.Box):
            return None
        return {"left": (-0.6, 0, 0), "right": (0.6, 0, 0), "gas": (0, 0.3, 0), "brake": (0, 0, 0.4)}

    def _make(self, env_id: str, kwargs: dict[str, Any]) -> "gymnasium.Env[Any, Any]":
        with needing("Box2D"):
            importlib.import_module("Box2D")
        with _saying(env_id):
            from .cars import UnseenCarRacing
        known = _spec(env_id)
        known.entry_point = cast(Any, UnseenCarRacing)
        return _make(known, {"render_mode": None, **kwargs})


_DOOM = {
    "TURN_LEFT": Button("left", "ArrowLeft", "turn"),
    "TURN_RIGHT": Button("right", "ArrowRight", "turn"),
    "MOVE_FORWARD": Button("forward", "ArrowUp", "walk"),
    "MOVE_BACKWARD": Button("back", "ArrowDown", "walk"),
    "MOVE_LEFT": Button("strafe left", "KeyA", "strafe"),
    "MOVE_RIGHT": Button("strafe right", "KeyD", "strafe"),
    "ATTACK": Button("fire", "Space"),
    "USE": Button("use", "KeyE"),
    "SPEED": Button("run", "ShiftLeft"),
}
_WITHOUT_TURNS = {"MOVE_LEFT": _DOOM["TURN_LEFT"], "MOVE_RIGHT": _DOOM["TURN_RIGHT"]}
"""For scenarios in which nobody turns."""
_DOOM_CAPTIONS = {
    "HealthGathering": "a walk through a green hall with medicine",
    "MyWayHome": "a walk through a house of brown stone",
    "TakeCover": "monsters throw fire in a long hall",
    "Basic": "a monster stands in a brown hall",
    "Defend": "monsters come near in a round hall",
    "DeadlyCorridor": "a walk through a corridor with guards",
}


class DoomGame(Game):
    """A scenario of ViZDoom, which skips frames itself and draws the last."""

    on = MappingProxyType({"forward": 0.7, "back": 0.1, "fire": 0.25, "use": 0.05})
    packages = ("gymnasium", "numpy", "vizdoom")

    @classmethod
    def caption_of(cls, env_id: str) -> str:
        return next((caption for name, caption in _DOOM_CAPTIONS.items() if name in env_id), "a walk through a dark place")

    def reset(self, seed: int) -> None:
        self._seen = self.env.reset(seed=seed)[0]["screen"]
        with suppress(OSError):
            os.rmdir("_vizdoom")  # the engine makes this empty folder wherever it is started

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._settings.cleanup()

    def advance(self, action: Any) -> Outcome:
        observed, reward, terminated, truncated, _ = self.env.step(action)
        over = terminated or truncated
        self._seen = None if over else observed["screen"]  # at its end there is no picture but black
        return Outcome(float(reward), bool(terminated) and not truncated, bool(truncated))

    def picture(self) -> Picture | None:
        return self._seen

    def wait(self, action: Any, steps: int) -> None:
        if steps:
            self._game.make_action(np.asarray(action).tolist(), steps)
            self._seen = self._game.get_state().screen_buffer

    def space(self) -> ActionSpace:
        count = from_gymnasium(self.env.action_space).space.size
        names = [str(button).split(".")[-1] for button in self._game.get_available_buttons()]
        if len(names) != count:
            raise ActionError(
                f"got {count} numbers an action for the buttons {', '.join(names)}; wanted one for each; "
                "leave `max_buttons_pressed` at 0"
            )
        turns = {} if "TURN_LEFT" in names else _WITHOUT_TURNS
        plain = {name: Button(name.lower().replace("_", " ")) for name in names}
        return with_keys(_without_lone_groups((plain | _DOOM | turns)[name] for name in names))

    @property
    def _game(self) -> Any:
        return self.env.unwrapped.game  # type: ignore[attr-defined]

    def _make(self, env_id: str, kwargs: dict[str, Any]) -> "gymnasium.Env[Any, Any]":
        with needing("vizdoom"):
            import vizdoom.gymnasium_wrapper  # noqa: F401 - registers the scenarios
        self._settings = tempfile.TemporaryDirectory(prefix="framecast-", ignore_cleanup_errors=True)
        ours = {
            "max_buttons_pressed": 0,
            "screen_resolution": "RES_160X120",
            "frame_skip": self._skip,
            "doom_config_path": os.path.join(self._settings.name, "vizdoom.ini"),  # and not in the folder of the user
        }
        try:
            return _make(env_id, {**ours, **kwargs})
        except BaseException:
            self._settings.cleanup()
            raise


def open_game(env_id: str, kwargs: Mapping[str, Any], frame_skip: int = 1) -> Game:
    """An environment by its id.

    Raises:
        WorldError: There is none of this id, it is not installed, or it cannot be made.
    """
    return kind_of(env_id)(env_id, kwargs, frame_skip)


def kind_of(env_id: str) -> type[Game]:
    """The kind of an environment, by its id."""
    return next((kind for start, kind in _KINDS.items() if env_id.startswith(start)), DrawnGame)


def open_mapping(game: Game, spec: WorldSpec) -> ActionMapping:
    """How the rows of a spec become actions of a game.

    Raises:
        ActionError: The spec has not the actions of the game.
    """
    if spec.controls is None:
        unnamed = from_gymnasium(game.env.action_space)  # as in recordings of earlier versions, which asked fewer for names
        mapping = unnamed if spec.action_space.names == unnamed.space.names else named_mapping(game.env)
        return mapping.called(spec.action_space)
    return Controls(spec.action_space, game.env.action_space, spec.controls)


def _without_lone_groups(buttons: Iterable[Button]) -> ActionSpace:
    """A space of buttons, of which one that has nothing beside it to exclude has no group."""
    made = tuple(buttons)
    groups = [button.group for button in made]
    return ActionSpace(tuple(button if groups.count(button.group) > 1 else replace(button, group=None) for button in made))


def _spec(env_id: str) -> "gymnasium.envs.registration.EnvSpec":
    """A copy of what the registry says of an environment."""
    with _saying(env_id):
        return copy.deepcopy(gymnasium.spec(env_id))


def _make(which: "str | gymnasium.envs.registration.EnvSpec", kwargs: dict[str, Any]) -> "gymnasium.Env[Any, Any]":
    """An environment without a limit of its time, which a recording has of its own."""
    plain = {"render_mode": "rgb_array", "disable_env_checker": True, "max_episode_steps": -1}
    with _saying(which if isinstance(which, str) else which.id):
        return gymnasium.make(which, **{**plain, **kwargs})


@contextmanager
def _saying(env_id: str) -> Iterator[None]:
    """Turns what Gymnasium raises into errors that say what to do."""
    try:
        yield
    except gymnasium.error.DependencyNotInstalled as error:
        raise WorldError(f"got {env_id}, which needs what is not installed: {_flat(error)}") from error
    except ModuleNotFoundError as error:
        raise WorldError(f"got {env_id}, which cannot be found: {_flat(error)}; install its package first") from error
    except FAILURES as error:
        raise WorldError(
            f"got {env_id}, which cannot be made: {told(error)}; wanted the id of an environment, such as "
            'CarRacing-v3, VizdoomHealthGathering-v1 or "module:Id-v0"'
        ) from error


def _flat(error: Exception) -> str:
    return " ".join(str(error).split())


_KINDS: dict[str, type[Game]] = {"CarRacing": CarGame, "Vizdoom": DoomGame}
"""By how their ids begin."""
