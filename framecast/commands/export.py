"""`framecast export`: a bundle out of a checkpoint."""

from argparse import ArgumentParser, Namespace

HELP = "make a bundle of a training's checkpoint"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="a checkpoint of a training, such as runs/train/checkpoints/last.ckpt")
    parser.add_argument("--out", required=True, help="the bundle's folder")
    parser.add_argument("--title", default=None, help="the title of its model card (default: as the training was given)")
    parser.add_argument(
        "--licence", default=None, help="an SPDX identifier such as Apache-2.0, or a text (default: as the training was given)"
    )
    parser.add_argument(
        "--starts", nargs="+", default=None, metavar="VIDEO", help="videos whose first frames the bundle keeps (default: none)"
    )


def run(arguments: Namespace) -> None:
    from ..console import say
    from ..train.card import Terms
    from ..train.checkpoint_bundle import export_checkpoint

    terms = Terms(arguments.title, arguments.licence)
    out = export_checkpoint(arguments.checkpoint, arguments.out, terms)
    if arguments.starts is not None:
        from ..sample import add_starts, load_bundle, start_of_video

        codec = load_bundle(out).codec()
        add_starts(out, [start_of_video(codec, video) for video in arguments.starts])
    say(f"saved the bundle {out}")
