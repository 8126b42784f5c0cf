"""`framecast info`: what a bundle, a token file, a snapshot, a recording, a video or a picture holds."""

from argparse import ArgumentParser, Namespace

HELP = "say what a bundle, a token file, a snapshot, a recording, a video or a picture holds"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path",
        nargs="?",
        default=None,
        help="a bundle's folder, a token file, a snapshot, a folder with actions, a video or a picture (default: the shipped "
        "model)",
    )


def run(arguments: Namespace) -> None:
    from ..descriptions import describe

    for name, value in describe(arguments.path):
        print(f"{name:24} {value}")
