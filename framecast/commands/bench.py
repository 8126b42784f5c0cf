"""`framecast bench`, which has a parser of its own."""

import argparse

HELP = "measure speeds beside peers and limits; in a checkout"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=f"see `{parser.prog} --help`")


def run(arguments: argparse.Namespace) -> None:
    """Runs the words that follow the command."""
    run_words(arguments.arguments)


def run_words(words: list[str]) -> None:
    """The same, for words as they came."""
    try:
        from ..benchmarks.__main__ import main as bench
    except ModuleNotFoundError as error:
        if error.name != "framecast.benchmarks":
            raise
        raise ValueError("the benchmarks are part of the repository, not of the package; run this in a clone of it") from error
    bench(words)
