"""`framecast animate`: image to video."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_actions, add_bundle, add_compile, add_out, add_sampling

HELP = "make a video that begins with a picture"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("picture", help="the picture; it is scaled to cover the model's size, and cropped about its centre")
    parser.add_argument(
        "--prompt",
        default=None,
        help='what the video shows, such as "a red circle moves right" (not needed if all videos of the training showed the '
        "same)",
    )
    parser.add_argument("--num_frames", type=int, default=33, help="length of the video with the picture, 1 + 4k (default: 33)")
    add_bundle(parser)
    add_out(parser)
    add_actions(parser)
    add_sampling(parser)
    add_compile(parser)


def run(arguments: Namespace) -> None:
    from ..generating import generate, make_generator, report
    from ..requests import checked_out, fill_prompt, given_or_fresh
    from ..sample.beginning import given_tokens, one_picture
    from ..sample.collect import check_longer

    fill_prompt(arguments, arguments.picture)
    out = checked_out(given_or_fresh(arguments.out, f"{Path(arguments.picture).stem}_animated"), given=arguments.picture)
    generator = make_generator(arguments)
    generator.codec.stride.num_latent_frames(arguments.num_frames)
    picture = one_picture(generator.codec, arguments.picture)
    check_longer(arguments.num_frames, picture, generator.codec.stride)  # one frame is one latent frame
    given = given_tokens(generator.codec, picture)
    started = time.perf_counter()
    clip = generate(generator, arguments.prompt, arguments.num_frames, arguments, out, given)
    report(clip, out, arguments.num_frames - 1, time.perf_counter() - started)
