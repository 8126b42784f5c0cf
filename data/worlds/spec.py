"""`WorldSpec`: all that decides what an environment shows for a seed and actions, as plain values."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..actions import ActionSpace
from ..kinds import real, sides, whole

_MOST_SKIPPED = 1000
_WANTED = 'wanted the values of `WorldSpec.to_json`, such as {"env_id": "CarRacing-v3", "action_space": {...}, "fps": 12.5}'


@dataclass(frozen=True)
class WorldSpec:
    """An environment, the actions that it takes here, and the frames that it gives.

    Raises:
        ValueError: A value is out of range.
    """

    env_id: str
    """Its id in Gymnasium's registry, such as "CarRacing-v3", or "module:Id-v0"."""
    action_space: ActionSpace
    """What a row of numbers says."""
    fps: float
    """Frames per second of what is recorded."""
    size: tuple[int, int] = (64, 64)
    """Rows and columns of a frame; the cropped picture is scaled to it by area."""
    frame_skip: int = 1
    """Steps of the environment from one frame to the next, all with one action."""
    crop: tuple[int, int, int, int] | None = None
    """Rows from and to, and columns from and to, of the environment's picture; None is all of it."""
    warmup: int = 0
    """Steps with nothing done before the first frame."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """What `gymnasium.make` gets besides, as plain values."""
    controls: Mapping[str, tuple[float, ...]] | None = None
    """What each button adds to an action of a `Box`, by name. None takes actions as `from_gymnasium` maps them."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages that it was made with."""

    def __post_init__(self) -> None:
        if not isinstance(self.env_id, str) or not self.env_id:
            raise ValueError(f'got env_id {self.env_id!r:.80}; wanted the id of an environment, such as "CarRacing-v3"')
        rows, columns = sides("size", self.size)
        values: dict[str, Any] = {
            "size": (rows, columns),
            "fps": real("fps", self.fps, 1e-3, 1000, "frames per second, above 0 and at most 1000"),
            "frame_skip": whole_skip(self.frame_skip),
            "warmup": whole("warmup", self.warmup, 0, math.inf, "0 or more steps before the first frame"),
            "crop": None if self.crop is None else _crop(self.crop),
            "kwargs": _plain(self.kwargs),
            "versions": dict(self.versions),
        }
        if self.controls is not None:
            values["controls"] = {name: tuple(map(float, numbers)) for name, numbers in self.controls.items()}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """The spec as plain values, from which `from_json` makes it again."""
        return json.loads(json.dumps({**asdict(self), "action_space": self.action_space.to_json()}))

    @classmethod
    def from_json(cls, values: object) -> "WorldSpec":
        """The spec that `to_json` gave; what is left out has its default.

        Raises:
            ValueError: The values are those of no spec.
        """
        if not isinstance(values, Mapping) or not {"env_id", "action_space", "fps"} <= set(values):
            raise ValueError(f"got {values!r:.80} as an environment; {_WANTED}")
        given = dict(values)
        space = ActionSpace.from_json(given.pop("action_space"))
        try:
            return cls(action_space=space, **given)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"got {values!r:.200} as an environment ({error}); {_WANTED}") from error


def whole_skip(frame_skip: object) -> int:
    """Steps of the environment for a frame.

    Raises:
        ValueError: They are none, or too many.
    """
    return whole("frame_skip", frame_skip, 1, _MOST_SKIPPED, f"1 to {_MOST_SKIPPED} steps a frame")


def _crop(value: object) -> tuple[int, int, int, int]:
    wanted = "four whole numbers: rows from and to, columns from and to"
    if not isinstance(value, (tuple, list)) or len(value) != 4:
        raise ValueError(f"got crop {value!r:.80}; wanted {wanted}")
    top, bottom, left, right = (whole("crop", number, 0, math.inf, wanted) for number in value)
    if top >= bottom or left >= right:
        raise ValueError(f"got crop {value!r:.80}, in which nothing is left; wanted {wanted}")
    return top, bottom, left, right


def _plain(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(dict(kwargs)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"got kwargs {kwargs!r:.80} for an environment ({error}); wanted plain values") from error
