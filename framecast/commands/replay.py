"""`framecast replay`: the video of a token file made again, and every token compared."""

import time
from argparse import ArgumentParser, Namespace

from .options import add_bundle, add_compute

HELP = "make the video of a token file again, and compare every token"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("file", help="a token file (.fct) that a model made, whole or still being written")
    add_bundle(parser)
    add_compute(parser)


def run(arguments: Namespace) -> None:
    import torch

    from ..generating import device_of
    from ..sample import TokenFileError, load_generator

    generator = load_generator(arguments.bundle, device_of(arguments), getattr(torch, arguments.dtype))
    started = time.perf_counter()
    replay = generator.replay(arguments.file, progress=True)
    if not replay.same:
        raise TokenFileError(f"{arguments.file}: {replay}")
    rate = generator.codec.stride.num_frames(replay.made) / (time.perf_counter() - started)
    print(f"{arguments.file}: {replay}, at {rate:.1f} frames/s")
