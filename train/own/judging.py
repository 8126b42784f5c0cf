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
_LEAST_PLAY, _MOST_PLAY, _PLAY_A_MINUTE = 64, 2000, 32  # frames


def write_report(plan: Plan) -> Path | None:
    """The page of the report; None if what it needs is not installed, which is said, with the command for later."""
    bundle, out = plan.out / "bundle", plan.out / "report"
    if any(find_spec(package) is None for package in _PACKAGES):
        line = f"framecast evaluate {shlex.quote(str(bundle))} --{plan.measured_as} {shlex.quote(plan.settings.videos)}"
        if plan.settings.captions and plan.measured_as == "real":
            line += f" --captions {shlex.quote(plan.settings.captions)}"
        say(f"No report is made, since the extra `evaluate` is not installed: `pip install -e '.[evaluate]'`, then `{line}`.")
        return None
    return evaluate_bundles([str(bundle)], out, settings_of(plan))


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
    )
