"""`framecast encode`: a video as a token file."""

from argparse import ArgumentParser, Namespace

from .options import add_video

HELP = "turn a video into a token file"


def add_options(parser: ArgumentParser) -> None:
    add_video(parser, "the video to encode")
    parser.add_argument("--out", required=True, help="token file to write: .fct")


def run(arguments: Namespace) -> None:
    from ..coding import encode, header_of, prepared_bundle, read_legal, report_tokens
    from ..data.files import replacing
    from ..requests import checked_out
    from ..sample import TokenWriter
    from ..sample.token_file import SUFFIX

    out = checked_out(arguments.out, (SUFFIX,), arguments.video)
    bundle = prepared_bundle(arguments.bundle)
    tokens = encode(bundle, read_legal(bundle, arguments))
    with replacing(out) as temporary, TokenWriter(temporary, header_of(bundle)) as writer:
        writer.append(tokens)
    report_tokens(out)
