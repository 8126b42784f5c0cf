"""`framecast train`: a model of one's own from a folder of videos, or one of LightningCLI's commands."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from ..console import ends_on_sigterm, warnings_in_one_line
from ..notices import Notice
from ..parser import Parser

HELP = "train on a folder of videos, or by configurations (`framecast train fit`)"
_ALIKE = 0.8  # a slip of the pen: --minuets, and not --max_steps
LIGHTNING = ("fit", "validate", "test", "predict")
"""What LightningCLI does."""
_USAGE = "framecast train VIDEOS [options], or framecast train fit --config CONFIG [options]"
_ABOUT = (
    "Trains a tokenizer, then a video LM, on the videos of a folder; then makes samples, a report and a bundle. The same line "
    "typed again goes on where it stopped."
)
_MORE = "`framecast train fit --help` has the options of a training by configurations, which this command writes and runs."


def main(words: Sequence[str]) -> None:
    """Runs `framecast train WORDS`.

    Raises:
        ValueError: The first word is no command of LightningCLI and no folder, or an option is wrong.
    """
    if _is_lightnings(words):
        from ..train.cli import main as train_command  # takes seconds

        train_command(list(words))
        return
    parser = build_parser()
    found, unknown = parser.parse_known_args(words)
    if unknown:
        raise ValueError(_unknown(unknown[0].partition("=")[0], [a.option_strings[-1] for a in parser._actions[2:]]))
    arguments = vars(found)
    _check_folder(arguments["videos"])
    print(f"Looking at the videos in {arguments['videos']}.", flush=True)  # what is loaded now takes seconds
    from ..train.own.settings import OwnSettings, usual_rate

    arguments["fps"] = usual_rate(arguments["videos"]) if arguments["fps"] is None else arguments["fps"]
    dry_run = arguments.pop("dry_run")
    settings = OwnSettings(**{name: value for name, value in arguments.items() if value is not None})
    from ..train.own.run import train

    with ends_on_sigterm(), warnings_in_one_line(Notice):
        train(settings, dry_run)


def build_parser() -> Parser:
    """The parser of the line with a folder."""
    parser = Parser(prog="framecast train", usage=_USAGE, description=_ABOUT, epilog=_MORE)
    parser.add_argument("videos", metavar="VIDEOS", help="the folder of the videos")
    parser.add_argument("--size", type=int, help="rows and columns of a frame in pixels (default: 64)")
    parser.add_argument("--fps", type=float, help="frames per second (default: those of a recording, else 12)")
    parser.add_argument("--minutes", type=float, help="how long all of it may take on this machine (default: 60)")
    parser.add_argument("--out", metavar="FOLDER", help="folder of the run (default: runs/mine)")
    parser.add_argument(
        "--hold_out",
        metavar="SHARE",
        help='files kept from training: a share of them, or a pattern such as "held_out/*" (default: 0.1)',
    )
    parser.add_argument(
        "--include",
        nargs="+",
        metavar="PATTERN",
        help='files to use: sub-folders, or patterns of paths such as "kitchen/*" (default: all)',
    )
    parser.add_argument("--captions", metavar="FILE", help="in the place of captions.jsonl in the folder")
    parser.add_argument(
        "--actions", metavar="FILE", help="in the place of actions.jsonl in the folder; actions make a world to play"
    )
    parser.add_argument(
        "--action_delay", type=int, metavar="FRAMES", help="frames of a file until an action shows in it (default: 0)"
    )
    parser.add_argument("--title", help="what the model is called (default: the name of the folder)")
    parser.add_argument("--licence", help="under what the model may be used; stands on its card")
    parser.add_argument("--seed", type=int, help="chooses held-out files, order and first weights (default: 0)")
    parser.add_argument("--dry_run", action="store_true", help="print the plan and stop")
    return parser


def _unknown(got: str, options: Sequence[str]) -> str:
    """What to say of an option that this line does not have."""
    meant = difflib.get_close_matches(got, options, 1, _ALIKE)
    if meant:
        return f"got {got}; did you mean {meant[0]}?"
    return (
        f"got {got} with a folder; wanted one of {', '.join(options)}; steps and sizes follow from --minutes; `framecast train "
        "fit`, whose configurations this command writes, has all other settings"
    )


def _is_lightnings(words: Sequence[str]) -> bool:
    """Whether LightningCLI is meant: by its command, or by an option of a training."""
    if not words or words[0] in ("-h", "--help"):
        return False
    return words[0] in LIGHTNING or (any(word in LIGHTNING for word in words) and words[0].startswith("-"))


def _check_folder(videos: str) -> None:
    """Raises ValueError if the first word is neither a folder nor a command."""
    root = Path(videos)
    if root.exists():
        return
    meant = difflib.get_close_matches(videos, LIGHTNING, 1)
    if meant and "/" not in videos:
        raise ValueError(
            f"got `framecast train {videos}`; wanted one of {', '.join(LIGHTNING)}, or a folder of videos; did you mean "
            f"`framecast train {meant[0]}`?"
        )
    above = root.absolute().parent
    near = difflib.get_close_matches(root.name, [path.name for path in above.glob("*") if path.is_dir()], 1)
    advice = f"did you mean {root.parent / near[0]}?" if near else "check its path"
    raise ValueError(f"got {root}, and there is no such folder; wanted a folder of videos; {advice}")
