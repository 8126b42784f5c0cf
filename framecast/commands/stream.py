"""`framecast stream`: frames as they are made."""

from argparse import ArgumentParser, Namespace

from .options import add_actions, add_bundle, add_compile, add_prompt, add_sampling, add_start

HELP = "stream frames as they are made; type a new prompt to steer"


def add_options(parser: ArgumentParser) -> None:
    add_prompt(parser, 'what the video shows; may change, as in "a red circle moves right; at 2s it stops"')
    parser.add_argument(
        "--prompts",
        default=None,
        choices=("-",),
        help="take each line of standard input as the next prompt; a terminal's are taken anyway (default: no)",
    )
    parser.add_argument("--seconds", type=float, default=None, help="length of the video (default: until Ctrl-C)")
    parser.add_argument(
        "--out", default=None, help=".mp4 (fragmented), .y4m, .fct (tokens), or - for y4m on standard output (default: none)"
    )
    add_bundle(parser)
    add_actions(parser)
    add_start(parser)
    add_sampling(parser)
    add_compile(parser)


def run(arguments: Namespace) -> None:
    from ..generating import make_generator, params_of, world_of
    from ..live import STREAM_SUFFIXES, run_stream
    from ..requests import checked_out, fill_prompts, one_prompt

    if arguments.out not in (None, "-"):
        checked_out(arguments.out, STREAM_SUFFIXES)
    if arguments.seconds is not None and not 0 < arguments.seconds < float("inf"):
        raise ValueError(f"got --seconds {arguments.seconds:g}; wanted a number above 0; leave it out for a stream without end")
    fill_prompts(arguments, "stream")
    arguments.prompt = one_prompt(arguments.prompt)
    generator, params = make_generator(arguments), params_of(arguments)
    stream = generator.stream(arguments.prompt, arguments.seed, params, **world_of(generator, arguments))
    run_stream(stream, arguments)
