"""The report of a trained model on the videos that were held out."""

import shlex
from importlib.util import find_spec
from pathlib import Path

from ...evaluate import Settings, evaluate_bundles
from .plan import Plan
from .showing import params_of
from .telling import say

_PACKAGES = ("cv2", "matplotlib")
_LEAST_CLIPS, _MOST_CLIPS = 2, 16
_LEAST_SEED = 1000
_START, _KEYS = 60.0, 4  # seconds until the first frame and for the plots; keys that are tried
_SIDE_BY_SIDE = 0.4  # of the time that a frame takes alone: streams are made in batches
_LEAST_PLAY, _MOST_PLAY, _PLAY_A_MINUTE = 64, 2000, 32  # frames


def can_report() -> bool:
    """Whether what a report needs is installed."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def seconds_of_report(plan: Plan) -> float:
    """About how long the report takes, by the frames that it makes."""
    settings, fps = settings_of(plan), plan.settings.fps
    if settings.world is not None:
        keys = 2 * _KEYS * max(4, settings.clips // 4) * 2 * fps  # with the key and without it, for two seconds
        back = 2 * max(3, settings.clips // 16) * 17 * fps  # two pairs of keys, for 2, 5 and 10 seconds
        frames = 4 * settings.clips * 64 + settings.long_clips * settings.play_frames + keys + back
    else:
        frames = 6 * settings.clips * 24 + settings.long_clips * settings.long_frames
    return _START + frames * plan.seconds_per_frame * _SIDE_BY_SIDE


def write_report(plan: Plan) -> Path | None:
    """The page of the report; None if what it needs is not installed, which is said, with the command for later."""
    bundle, out = plan.out / "bundle", plan.out / "report"
    if not can_report():
        line = f"framecast evaluate {shlex.quote(str(bundle))} {measured(plan)}"
        say(f"No report is made, since the extra `evaluate` is not installed: `pip install -e '.[evaluate]'`, then `{line}`.")
        return None
    return evaluate_bundles([str(bundle)], out, settings_of(plan))


def measured(plan: Plan) -> str:
    """What the model is measured on, as options of `framecast evaluate`."""
    settings = settings_of(plan)
    given = {
        "world": settings.world,
        "real": settings.real,
        "captions": settings.captions,
        "actions": settings.actions,
        "action_delay": settings.action_delay or None,
    }
    return " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None)


def settings_of(plan: Plan) -> Settings:
    """How much is measured: more after a longer training, so that the report takes a small part of the time."""
    clips = max(_LEAST_CLIPS, min(_MOST_CLIPS, round(plan.settings.minutes / 4)))
    is_world, videos = plan.measured_as == "world", plan.settings.videos
    return Settings(
        clips=clips,
        long_clips=max(1, clips // 4),
        long_frames=97,
        seed=_LEAST_SEED,
        params=params_of(plan),
        real=None if is_world else videos,
        world=videos if is_world else None,
        play_frames=max(_LEAST_PLAY, min(_MOST_PLAY, round(_PLAY_A_MINUTE * plan.settings.minutes))),
        include=tuple(plan.found.held_out_patterns),
        captions=None if is_world else plan.settings.captions,
        actions=plan.settings.actions if is_world else None,
        action_delay=plan.settings.action_delay if is_world else 0,
    )
