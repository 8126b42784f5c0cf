"""`framecast decode`: a token file as a video."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_bundle, add_video_out

HELP = "turn a token file into a video"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("file", help="the token file to decode, whole or still being written")
    add_bundle(parser)
    add_video_out(parser)


def run(arguments: Namespace) -> None:
    from ..coding import decode, write
    from ..data.video import WRITERS
    from ..requests import checked_out, given_or_fresh
    from ..sample import load_bundle, read_tokens

    out = checked_out(given_or_fresh(arguments.out, Path(arguments.file).stem), tuple(WRITERS), arguments.file)
    codec = load_bundle(arguments.bundle).codec()
    video = read_tokens(arguments.file).check(codec.header())
    title = video.prompts[0][1] if video.prompts else Path(arguments.file).name
    write(out, decode(codec, video.tokens), video.header.fps, title, codec.note)
    print(f"{out}: {video.num_frames} frames, {video.bits_per_pixel:.4f} bits per pixel{'' if video.whole else ', so far'}")
