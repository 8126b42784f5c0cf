"""The command line `framecast`: one parser, one line of error, no traceback for what a user can mend."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from . import __version__, console
from .commands import (
    animate,
    caption,
    continue_video,
    decode,
    demo,
    encode,
    evaluate,
    export,
    info,
    play,
    reconstruct,
    record,
    replay,
    sample,
    serve,
    stream,
    train,
)
from .notices import Notice
from .parser import Parser


class Command(Protocol):
    """A file of `commands/`."""

    HELP: str
    """What it does, in a line."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Adds its options to its parser."""

    def run(self, arguments: argparse.Namespace) -> None:
        """Does it."""


class Elsewhere(NamedTuple):
    """A command with a parser of its own."""

    module: str
    """Whose `main` takes the words that follow the command."""
    HELP: str


COMMANDS: dict[str, Command | Elsewhere] = {
    "train": Elsewhere(".commands.train", train.HELP),
    "sample": sample,
    "stream": stream,
    "continue": continue_video,
    "animate": animate,
    "encode": encode,
    "decode": decode,
    "replay": replay,
    "reconstruct": reconstruct,
    "record": record,
    "caption": caption,
    "info": info,
    "export": export,
    "evaluate": evaluate,
    "serve": serve,
    "play": play,
    "bench": Elsewhere(".benchmarks.__main__", "measure speeds beside peers and limits; in a checkout"),
    "demo": demo,
}
"""By name, in the order of the help."""


def build_parser() -> Parser:
    """The parser of every command but `train`, which decides by its first word, and `bench`, which is not in the package."""
    parser = Parser(prog="framecast", description="Train, sample and stream discrete-token video models.")
    parser.add_argument("--version", action="version", version=f"framecast {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        own = parsers.add_parser(name, help=command.HELP, add_help=not isinstance(command, Elsewhere))
        if isinstance(command, Elsewhere):
            own.add_argument("words", nargs=argparse.REMAINDER)
        else:
            command.add_options(own)
            own.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0, 2 if the input was wrong, or 128 and the number of a signal."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console.open_standard_streams()
    try:
        _run(arguments)
        console.flush_output()
    except BrokenPipeError:
        console.drop_output()
        return console.BROKEN_PIPE
    except (ValueError, OSError) as error:
        console.say(error)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: list[str]) -> None:
    command = COMMANDS.get(arguments[0]) if arguments else None
    if isinstance(command, Elsewhere):
        _run_elsewhere(command.module, arguments[1:])
        return
    parsed = build_parser().parse_args(arguments)
    with console.ends_on_sigterm(), console.warnings_in_one_line(Notice):
        parsed.run(parsed)


def _run_elsewhere(module: str, words: list[str]) -> None:
    try:
        with console.said_if_long("loading torch and what else this needs"):
            found = importlib.import_module(module, __package__)
    except ModuleNotFoundError as error:
        if error.name != "framecast.benchmarks":
            raise
        raise ValueError("the benchmarks are part of the repository, not of the package; run this in a clone of it") from error
    found.main(words)
