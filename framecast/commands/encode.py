"""`framecast encode`: a video as a token file."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_video

HELP = "turn a video into a token file"


def add_options(parser: ArgumentParser) -> None:
    add_video(parser, "the video to encode")
    parser.add_argument("--out", default=None, help="token file to write: .fct (default: a new one in this folder)")


def run(arguments: Namespace) -> None:
    from ..coding import encode, read_legal, report_tokens
    from ..data.files import replacing
    from ..requests import checked_out, given_or_fresh
    from ..sample import TokenWriter, load_bundle
    from ..sample.fidelity import warn_of_unfamiliar
    from ..sample.token_file import SUFFIX

    out = checked_out(given_or_fresh(arguments.out, Path(arguments.video).stem, SUFFIX), (SUFFIX,), arguments.video)
    codec = load_bundle(arguments.bundle).codec()
    frames = read_legal(codec, arguments)
    warn_of_unfamiliar(codec, frames)
    tokens = encode(codec, frames)
    with replacing(out) as temporary, TokenWriter(temporary, codec.header()) as writer:
        writer.append(tokens)
    report_tokens(out)
