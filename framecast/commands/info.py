"""`framecast info`: what a bundle, a token file, a snapshot, a recording, a video or a picture holds."""

import shutil
import sys
import textwrap
from argparse import ArgumentParser, Namespace

_NAMES = 24
"""Letters that the names of rows have room for, at least."""
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

    rows = describe(arguments.path)
    names = max(_NAMES, *(len(name) for name, _ in rows)) + 1
    room = shutil.get_terminal_size().columns - names if sys.stdout.isatty() else 0  # in a file each row is one line
    for name, value in rows:
        lines = textwrap.wrap(value, room, break_on_hyphens=False) if room >= _NAMES else [value]
        for number, line in enumerate(lines or [""]):
            print(f"{'' if number else name:{names}}{line}".rstrip())
