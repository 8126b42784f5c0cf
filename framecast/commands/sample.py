"""`framecast sample`: a clip from a prompt."""

import time
from argparse import ArgumentParser, Namespace

from .options import add_bundle, add_compile, add_out, add_prompt, add_sampling

HELP = "make a clip from a prompt"


def add_options(parser: ArgumentParser) -> None:
    add_prompt(parser, 'what the video shows, such as "a red circle moves right"')
    parser.add_argument("--num_frames", type=int, default=33, help="length of the clip, 1 + 4k (default: 33)")
    add_bundle(parser)
    add_out(parser)
    add_sampling(parser)
    add_compile(parser)


def run(arguments: Namespace) -> None:
    from ..generating import generate, make_generator, report
    from ..requests import checked_out, one_prompt

    out, prompt = checked_out(arguments.out), one_prompt(arguments.prompt)
    generator = make_generator(arguments)
    started = time.perf_counter()
    clip = generate(generator, prompt, arguments.num_frames, arguments, out)
    report(clip, out, arguments.num_frames, time.perf_counter() - started)
