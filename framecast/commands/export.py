"""`framecast export`: a bundle out of a checkpoint."""

import re
from argparse import ArgumentParser, Namespace

_START = re.compile(r"(?:(?P<name>[^=@/]+)=)?(?P<video>.+?)(?:@(?P<seconds>\d+(?:\.\d+)?)s?)?")

HELP = "make a bundle of a training's checkpoint"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="a checkpoint of a training, such as runs/train/checkpoints/last.ckpt")
    parser.add_argument("--out", required=True, help="the bundle's folder")
    parser.add_argument("--title", default=None, help="the title of its model card (default: as the training was given)")
    parser.add_argument(
        "--licence", default=None, help="an SPDX identifier such as Apache-2.0, or a text (default: as the training was given)"
    )
    parser.add_argument(
        "--card",
        default=None,
        metavar="TEXT",
        help="the first words of the model card, Markdown (default: as the training was given)",
    )
    parser.add_argument(
        "--starts",
        nargs="+",
        default=None,
        metavar="[NAME=]VIDEO[@SECONDS]",
        help="frames of videos from which its world can begin: a name, if not the file's, and where they are (default: none)",
    )


def run(arguments: Namespace) -> None:
    from ..console import say
    from ..train.card import Terms
    from ..train.checkpoint_bundle import export_checkpoint

    places = [parse_start(text) for text in arguments.starts or ()]
    terms = Terms(arguments.title, arguments.licence)
    out = export_checkpoint(arguments.checkpoint, arguments.out, terms, arguments.card)
    if arguments.starts is not None:
        from ..sample import add_starts, load_bundle, start_of_video

        codec = load_bundle(out).codec()
        add_starts(out, [start_of_video(codec, video, seconds=seconds, name=name) for name, video, seconds in places])
    say(f"saved the bundle {out}")


def parse_start(text: str) -> tuple[str | None, str, float]:
    """The name, the video, and the seconds of it at which a start begins.

    Raises:
        ValueError: It names no video.
    """
    found = _START.fullmatch(text.strip())
    if found is None or not found["video"].strip():
        raise ValueError(f"got the start {text!r:.80}; wanted a video, or such as bend=drive.mkv@4.5")
    return found["name"], found["video"], float(found["seconds"] or 0)
