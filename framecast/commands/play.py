"""`framecast play`: a world on a page of this machine, played by keys."""

import sys
import warnings
from argparse import ArgumentParser, Namespace

from .. import console
from .options import add_compute, add_named_world

HELP = "play a world in the browser"


def add_options(parser: ArgumentParser) -> None:
    add_named_world(parser)
    parser.add_argument("--port", type=int, default=None, help="port of the page; 0 takes a free one (default: 8000)")
    parser.add_argument(
        "--host", default=None, help="address to bind to; others than this machine's own need a token (default: 127.0.0.1)"
    )
    parser.add_argument("--no_browser", action="store_true", default=None, help="open no browser, and say the address alone")
    parser.add_argument(
        "--record", default=None, metavar="FOLDER", help="keep every game as an episode, to train on (default: keep none)"
    )
    add_compute(parser)
    parser.set_defaults(compile=None)


def run(arguments: Namespace) -> None:
    from ..sample.bundle_files import WORLD

    arguments.bundle = arguments.bundle or str(WORLD)
    title = _title_of(arguments.bundle)
    console.say(f"opening {title}")  # before torch is loaded, which takes seconds
    _play(arguments, title)


def _title_of(bundle: str) -> str:
    """What a world is called.

    Raises:
        ValueError: The folder is no bundle, or the bundle of no world.
    """
    from ..sample.bundle_files import open_bundle

    files = open_bundle(bundle)
    if files.action_space is None:
        raise ValueError(
            f"got {bundle}, a model without actions; wanted a world, which answers keys; `framecast serve {bundle}` shows its "
            "videos"
        )
    return files.title or files.path.resolve().name


def _play(arguments: Namespace, title: str) -> None:
    from ..generating import make_generator
    from ..requests import given_options
    from ..sample import PromptWarning, UnfamiliarVideoWarning
    from ..serve.server.config import ServeConfig
    from .serve import token_of

    for theirs in (PromptWarning, UnfamiliarVideoWarning):  # prompts and frames of whoever plays
        warnings.simplefilter("ignore", theirs)
    config = ServeConfig(**given_options(arguments, "host", "port"), token=token_of(None), title=title)
    try:
        from ..serve.engine.engine import load_apart
        from ..serve.server.run import run_server
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it to play; pip install '.[serve]'") from error
    generator = load_apart(lambda: make_generator(arguments))
    run_server(generator, config, record=arguments.record, when_ready=None if arguments.no_browser else open_page)


def open_page(address: str) -> None:
    """Opens the page in the browser of whoever sits here; says where it is if there is none."""
    import webbrowser

    if not webbrowser.open(address):
        print(f"no browser opens by itself here; open {address} in one", file=sys.stderr, flush=True)
