"""`framecast train`, which has a parser of its own."""

import argparse

HELP = "train a tokenizer or a video LM"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=f"see `{parser.prog} --help`")


def run(arguments: argparse.Namespace) -> None:
    """Runs the words that follow the command."""
    run_words(arguments.arguments)


def run_words(words: list[str]) -> None:
    """The same, for words as they came."""
    from ..train.cli import main as train

    train(words)
