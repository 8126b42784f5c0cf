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


def write_report(plan: Plan) -> Path | None:
    """The page of the report; None if what it needs is not installed, which is said, with the command for later."""
    bundle, out = plan.out / "bundle", plan.out / "report"
    if any(find_spec(package) is None for package in _PACKAGES):
        line = f"framecast evaluate {shlex.quote(str(bundle))} --real {shlex.quote(plan.settings.videos)}"
        line += f" --captions {shlex.quote(plan.settings.captions)}" if plan.settings.captions else ""
        say(f"No report is made, since the extra `evaluate` is not installed: `pip install -e '.[evaluate]'`, then `{line}`.")
        return None
    return evaluate_bundles([str(bundle)], out, settings_of(plan))


def settings_of(plan: Plan) -> Settings:
    """How much is measured: more after a longer training, so that the report takes a small part of the time."""
    clips = max(_LEAST_CLIPS, min(_MOST_CLIPS, round(plan.settings.minutes / 4)))
    return Settings(
        clips=clips,
        long_clips=max(1, clips // 4),
        long_frames=97,
        seed=_LEAST_SEED,
        params=params_of(plan),
        real=plan.settings.videos,
        include=tuple(plan.found.held_out_patterns),
        captions=plan.settings.captions,
    )
