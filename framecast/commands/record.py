"""`framecast record`: videos of an environment that is played, with what was done in it."""

import math
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .. import console
from .play import open_page

if TYPE_CHECKING:
    from ..data.worlds import Play, WorldSpec
    from ..serve.server.page_player import PagePlayer

HELP = "record videos and actions of an environment"
PAGE = "page"
"""The policy that is a person at the page."""
_FRAMES_OF_A_GAME = 3000
_FRAMES_OF_A_CLIP = 17
"""What a training takes of an episode; shorter ones are left out."""


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("env_id", help="the environment's id in Gymnasium, such as CarRacing-v3, or module:Id-v0")
    parser.add_argument("--out", required=True, help="folder to record in; a recording that is there goes on")
    parser.add_argument("--episodes", type=int, default=None, help="episodes in all (default: 10, or by --minutes)")
    parser.add_argument("--minutes", type=float, default=None, help="minutes of video in all")
    _add_policy(parser)
    _add_frames(parser)
    parser.add_argument("--workers", type=int, default=None, help="processes that play at once (default: one a core)")
    parser.add_argument(
        "--lossless", action="store_true", default=None, help="keep every pixel, in .mkv (default: .mp4, at about 40 dB)"
    )
    parser.add_argument("--caption", default=None, help="what the videos show (default: what is known of the environment)")


def _add_policy(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--policy",
        default=None,
        help="who plays: held (random keys, each for a while), random, driver or weaver (CarRacing), walker (ViZDoom), "
        "page (you, in the browser), or module:function, called with frame, previous action, rng and world (default: held)",
    )
    parser.add_argument("--port", type=int, default=None, help="port of the page; 0 takes a free one (default: 8000)")
    parser.add_argument("--no_browser", action="store_true", default=None, help="open no browser for the page")
    parser.add_argument("--hold", type=float, default=None, help="seconds that held holds a key, in the mean (default: 0.5)")
    parser.add_argument(
        "--on",
        action="append",
        metavar="BUTTON=SHARE",
        default=None,
        help="how likely a button is on under random keys, such as forward=0.7; may be repeated (default: by the environment)",
    )
    parser.add_argument("--seed", type=int, default=None, help="the same seed gives the same episodes (default: 0)")


def _add_frames(parser: ArgumentParser) -> None:
    parser.add_argument("--size", type=int, nargs="+", default=None, help="rows and columns, or one for both (default: 64)")
    parser.add_argument("--fps", type=float, default=None, help="frames per second, as near as whole steps come (default: 12)")
    parser.add_argument("--frame_skip", type=int, default=None, help="steps of the environment for a frame (default: by --fps)")
    parser.add_argument("--max_frames", type=int, default=None, help="frames of an episode at most (default: 250)")
    parser.add_argument(
        "--crop",
        type=int,
        nargs=4,
        metavar=("TOP", "BOTTOM", "LEFT", "RIGHT"),
        default=None,
        help="rows and columns of the environment's picture to keep (default: by the environment)",
    )
    parser.add_argument("--warmup", type=int, default=None, help="steps before the first frame (default: by the environment)")
    parser.add_argument(
        "--buttons",
        nargs="+",
        metavar="NAME=KEY",
        default=None,
        help="names, and keys if wanted, of all buttons in order, such as left=ArrowLeft right=ArrowRight (default: by the "
        "environment)",
    )
    parser.add_argument(
        "--axes",
        nargs="+",
        metavar="NAME=KEY,KEY",
        default=None,
        help="the same of all axes, such as wheel=ArrowLeft,ArrowRight (default: by the environment)",
    )
    parser.add_argument("--kwargs", default=None, help="what the environment is made with, as JSON: '{\"continuous\": true}'")


def run(arguments: Namespace) -> None:
    from ..data.reading import parse_json
    from ..data.worlds import default_play, renamed, world_spec

    if arguments.policy == PAGE:
        console.say(f"opening {arguments.env_id}")
    kwargs = {} if arguments.kwargs is None else parse_json(arguments.kwargs)
    if not isinstance(kwargs, dict):
        raise ValueError(f"got --kwargs {arguments.kwargs!r:.80}; wanted a JSON object, such as '{{\"continuous\": true}}'")
    spec = world_spec(
        arguments.env_id,
        size=_size(arguments.size),
        fps=arguments.fps,
        frame_skip=arguments.frame_skip,
        crop=arguments.crop,
        warmup=arguments.warmup,
        kwargs=kwargs,
    )
    spec = renamed(spec, arguments.buttons or (), arguments.axes or ())
    if arguments.policy == PAGE and arguments.max_frames is None:
        arguments.max_frames = _FRAMES_OF_A_GAME
    names = ("policy", "seed", "max_frames", "caption", "hold")
    play = default_play(spec, **{name: getattr(arguments, name) for name in names}, on=_shares(arguments.on))
    if arguments.policy != PAGE:
        _record(arguments, spec, play)
        return
    with _at_page(arguments, spec, play) as policy:
        arguments.workers = arguments.workers or 1
        _record(arguments, spec, play, policy)


@contextmanager
def _at_page(arguments: Namespace, spec: "WorldSpec", play: "Play") -> "Iterator[PagePlayer]":
    """The page of an environment; gives the policy that does what is held there."""
    try:
        from ..serve.server.true_world import play_at_page
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it for the page; pip install '.[serve]'") from error
    with play_at_page(spec, play.caption, 8000 if arguments.port is None else arguments.port) as (policy, address):
        console.say(f"play {spec.env_id} at {address}; Stop keeps an episode, and Ctrl-C ends")
        if not arguments.no_browser:
            threading.Thread(target=open_page, args=[address], daemon=True).start()
        yield policy


def _record(arguments: Namespace, spec: "WorldSpec", play: "Play", policy: "PagePlayer | None" = None) -> None:
    from ..data.worlds import Recording, record
    from ..machine import num_cores
    from ..progress import Task

    minutes, episodes = arguments.minutes, arguments.episodes
    episodes = 10 if minutes is None and episodes is None else episodes
    workers = num_cores() if arguments.workers is None else arguments.workers
    total, unit = (episodes, "episodes") if minutes is None else (_frames(minutes, spec.fps), "frames")
    lossless = bool(arguments.lossless)
    rows = record(
        arguments.out, spec, play, episodes=episodes, minutes=minutes, workers=workers, lossless=lossless, policy=policy
    )
    try:
        with closing(rows), Task(f"recording {arguments.out}", total, unit) as task:
            task.reach(_done(arguments.out, unit))
            for row in rows:
                task.advance(1 if minutes is None else row["num_frames"])
                if policy is not None:
                    policy.finish()
    except KeyboardInterrupt:
        console.say(f"stopped; what is whole is kept in {arguments.out}; the same command goes on from there")
        raise
    recording = Recording(arguments.out)
    print(recording.summary())
    mean = recording.num_frames / max(1, len(recording))
    if len(recording) and mean < _FRAMES_OF_A_CLIP:
        console.say(
            f"got episodes of {mean:.3g} frames in the mean; a training needs {_FRAMES_OF_A_CLIP} frames an episode; record in "
            "another folder with --frame_skip 1, a higher --fps, or a --policy under which episodes last longer"
        )


def _frames(minutes: float, fps: float) -> int:
    """How many there shall be; minutes without end are refused where recording begins."""
    return round(minutes * 60 * fps) if math.isfinite(minutes) else 0


def _done(folder: str, unit: str) -> int:
    """How much an earlier run has recorded."""
    from ..data.worlds import Recording

    if not Path(folder, "recording.json").is_file():
        return 0
    before = Recording(folder)
    return before.num_frames if unit == "frames" else len(before)


def _size(values: list[int] | None) -> tuple[int, int] | int:
    if values is None:
        return 64
    if len(values) > 2:
        raise ValueError(f"got --size {' '.join(map(str, values))}; wanted rows and columns, or one number for both")
    return values[0] if len(values) == 1 else (values[0], values[1])


def _shares(given: list[str] | None) -> dict[str, float] | None:
    if given is None:
        return None
    try:
        return {name.strip(): float(share) for name, share in (text.split("=") for text in given)}
    except ValueError as error:
        raise ValueError(f"got --on {' '.join(given):.80}; wanted a button and a share each time, such as forward=0.7") from error
