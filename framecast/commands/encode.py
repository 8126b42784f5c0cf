"""`framecast encode`: a video as a token file."""

from argparse import ArgumentParser, Namespace

from .options import add_video

HELP = "turn a video into a token file"


def add_options(parser: ArgumentParser) -> None:
    add_video(parser, "the video to encode")
    parser.add_argument("--out", required=True, help="token file to write: .fct")


def run(arguments: Namespace) -> None:
    from ..coding import encode, read_legal, report_tokens
    from ..data.files import replacing
    from ..requests import checked_out
    from ..sample import TokenWriter, load_bundle
    from ..sample.token_file import SUFFIX

    out = checked_out(arguments.out, (SUFFIX,), arguments.video)
    codec = load_bundle(arguments.bundle).codec()
    tokens = encode(codec, read_legal(codec, arguments))
    with replacing(out) as temporary, TokenWriter(temporary, codec.header()) as writer:
        writer.append(tokens)
    report_tokens(out)
