"""What a person says about a model of their own, checked when it is said."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..card import Terms
from .sizes import check_size
from .worlds import recorded_rate

MOST_SHARE = 0.5
_LONGEST = 30 * 24 * 60  # minutes
_LONGEST_DELAY = 10_000  # frames, far beyond what any machine takes


@dataclass(frozen=True)
class OwnSettings:
    """A model of one's own, as it was asked for.

    Attributes:
        videos: The folder of the videos.
        size: Rows and columns of a frame, in pixels.
        fps: Frames per second.
        minutes: How long all of it may take on this machine.
        out: Folder of the run.
        include: Which files are used: sub-folders, or patterns of paths such as "kitchen/*"; a file must fit one of them.
        hold_out: Which of them are kept from training: a share, or a pattern of paths such as "held_out/*".
        captions: A file in the place of `captions.jsonl` in the folder; None takes that one, if it is there.
        actions: A file in the place of `actions.jsonl` in the folder, likewise; with actions the model becomes a world.
        action_delay: Stored frames of a file that pass until an action shows in the picture.
        title: What the model is called; None is the name of the folder.
        licence: Under what the model may be used; None says nothing.
        seed: Chooses the files that are held out, the order of the clips and the first weights.

    Raises:
        ValueError: A value is out of range.
    """

    videos: str
    size: int = 64
    fps: float = 12.0
    minutes: float = 60.0
    out: str = "runs/mine"
    hold_out: str = "0.1"
    include: tuple[str, ...] = ("*",)
    captions: str | None = None
    actions: str | None = None
    action_delay: int = 0
    title: str | None = None
    licence: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("videos", "out", "captions", "actions"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else str(value))
        given: Any = self.include
        object.__setattr__(self, "include", (given,) if isinstance(given, str) else tuple(given))
        object.__setattr__(self, "hold_out", str(self.hold_out) if self.share is None else f"{self.share:g}")
        Terms(self.title, self.licence)  # a card that cannot be written is known before the work
        check_size(self.size)
        _check_number("fps", self.fps, 1, 120, "frames per second")
        _check_number("minutes", self.minutes, 0.1, _LONGEST, "minutes for all of the training")
        _check_whole("seed", self.seed, 2**32 - 1, "a whole number")
        _check_whole("action_delay", self.action_delay, _LONGEST_DELAY, "stored frames that pass until an action shows")
        if not self.include or not all(isinstance(pattern, str) and pattern for pattern in self.include):
            raise ValueError(f'got --include {self.include}; wanted sub-folders or patterns of paths, such as --include "a/*"')
        share = self.share
        if share is not None and not 0 < share <= MOST_SHARE:
            raise ValueError(
                f"got --hold_out {self.hold_out}; wanted a share of the files above 0 and up to {MOST_SHARE}, or a pattern of "
                'their paths, such as --hold_out "held_out/*"'
            )

    @property
    def share(self) -> float | None:
        """The share of the files that is held out; None if a pattern says which ones."""
        try:
            return float(self.hold_out)
        except ValueError:
            return None

    @property
    def named(self) -> str:
        """What the model is called."""
        return self.title or Path(self.videos).resolve().name


def usual_rate(videos: str) -> float:
    """Frames per second if none are named: those of a recording, which would lose frames at any other rate, and else 12."""
    return recorded_rate(Path(videos)) or OwnSettings.fps


def option_names() -> list[str]:
    """The names that the command line and Python have in common."""
    return [field.name for field in fields(OwnSettings) if field.name != "videos"]


def changed(before: dict[str, Any], now: OwnSettings) -> list[str]:
    """The settings that are not what they were, in words; one folder may be spelled in two ways, and a card's words left out."""
    values = asdict(now)
    left_out = {name for name in ("title", "licence") if values[name] is None}
    same = {name for name in ("out", "captions", "actions") if _resolved(before.get(name)) == _resolved(values[name])} | left_out
    other = [name for name in option_names() if name not in same and before.get(name) != values[name]]
    return [f"--{name} {spoken(values[name])} (was {spoken(before.get(name))})" for name in other]


def spoken(value: object) -> str:
    """The value of an option as it is typed."""
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _resolved(path: str | None) -> Path | None:
    return None if path is None else Path(path).resolve()


def _check_whole(name: str, value: object, most: float, wanted: str) -> None:
    _check_number(name, value, 0, most, wanted)
    if not isinstance(value, int):
        raise ValueError(f"got --{name} {value}; wanted a whole number")


def _check_number(name: str, value: object, least: float, most: float, wanted: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"got --{name} {value}; wanted {wanted}, from {least:g} to {most:,g}")
