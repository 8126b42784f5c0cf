"""`framecast serve`: streams for browsers and programs."""

import os
import warnings
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_compute, add_named_bundle

HELP = "serve streams to browsers and programs"

if TYPE_CHECKING:
    from ..serve.server.config import ServeConfig


def add_options(parser: ArgumentParser) -> None:
    add_named_bundle(parser)
    parser.add_argument(
        "--host", default=None, help="address to bind to; others than this machine's own need a token (default: 127.0.0.1)"
    )
    parser.add_argument("--port", type=int, default=None, help="port to bind to; 0 takes a free one (default: 8000)")
    parser.add_argument("--slots", type=int, default=None, help="streams in one forward at most (default: 4)")
    parser.add_argument("--queue", type=int, default=None, help="sessions more than that, which take turns (default: 12)")
    parser.add_argument(
        "--replicas", type=int, default=None, help="servers that share the work; more than 1 need Ray (default: 1)"
    )
    parser.add_argument(
        "--max_replicas", type=int, default=None, help="servers at most, started while places get few (default: as --replicas)"
    )
    parser.add_argument(
        "--ray_address",
        default=None,
        metavar="ADDRESS",
        help="cluster of Ray to join, such as auto (default: one on this machine)",
    )
    parser.add_argument("--replica_cpus", type=float, default=1, help="CPU cores of each replica, for Ray (default: 1)")
    parser.add_argument(
        "--snapshots",
        default=None,
        metavar="FOLDER",
        help="where running streams outlive the server; replicas, or several servers, can share it (default: none)",
    )
    parser.add_argument(
        "--token_file", default=None, metavar="FILE", help="what clients have to show (default: the variable FRAMECAST_TOKEN)"
    )
    parser.add_argument("--allow_host", nargs="+", default=None, metavar="NAME", help="other names of this server")
    parser.add_argument("--allow_origin", nargs="+", default=None, metavar="ORIGIN", help="sites whose pages may connect")
    parser.add_argument(
        "--public", action="store_true", default=None, help="let everybody in who reaches the server, without a token"
    )
    parser.add_argument(
        "--framed_by", nargs="+", default=None, metavar="ORIGIN", help="sites that may show the page inside of theirs"
    )
    add_compute(parser)
    parser.set_defaults(compile=None)


def run(arguments: Namespace) -> None:
    from ..generating import make_generator
    from ..requests import given_options
    from ..sample import PromptWarning, UnfamiliarVideoWarning
    from ..sample.bundle_files import open_bundle
    from ..serve.server.config import ServeConfig

    for theirs in (PromptWarning, UnfamiliarVideoWarning):  # prompts and frames of other people
        warnings.simplefilter("ignore", theirs)
    config = ServeConfig(
        **given_options(arguments, "host", "port", "slots", "queue", "replicas", "max_replicas", "public"),
        token=token_of(arguments.token_file),
        hosts=tuple(arguments.allow_host or ()),
        origins=tuple(arguments.allow_origin or ()),
        framed_by=tuple(arguments.framed_by or ()),
        title=open_bundle(arguments.bundle).title,
    )
    if max(config.replicas, config.max_replicas or 1) > 1 or arguments.ray_address is not None:
        _serve_in_cluster(arguments, config)
        return
    try:
        from ..serve.engine.engine import load_apart
        from ..serve.server.run import run_server
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it to serve; pip install '.[serve]'") from error
    run_server(load_apart(lambda: make_generator(arguments)), config, snapshots=arguments.snapshots)


def _serve_in_cluster(arguments: Namespace, config: "ServeConfig") -> None:
    try:
        from ..serve.cluster.ray import Recipe, run_cluster
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it for replicas; pip install '.[ray]'") from error
    bundle = None if arguments.bundle is None else Path(arguments.bundle).resolve()
    snapshots = None if arguments.snapshots is None else Path(arguments.snapshots).resolve()
    recipe = Recipe(bundle, arguments.device, arguments.dtype, arguments.replica_cpus, snapshots)
    run_cluster(recipe, config, arguments.ray_address)


def token_of(file: str | None) -> str | None:
    """The token of a file, or else of the environment: on a command line others could read it."""
    if file is None:
        return os.environ.get("FRAMECAST_TOKEN")
    if not Path(file).is_file():
        raise ValueError(f"got --token_file {file}; wanted a file that holds the token")
    return Path(file).read_text(encoding="utf-8").strip()
