"""The command line `framecast`: one parser, one line of error, no traceback for what a user can mend."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from . import __version__, console


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ValueErrors of one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see `{self.prog} --help`")


def build_parser() -> Parser:
    """The parser of every command but `train`, which is LightningCLI's, and `bench`, which is not in the package."""
    parser = Parser(prog="framecast", description="Train, sample and stream discrete-token video models.")
    parser.add_argument("--version", action="version", version=f"framecast {__version__}")
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser
    _add_rest(add("train", help="train a tokenizer or a video LM", add_help=False))
    _add_sample(add("sample", help="make a clip from a prompt"))
    _add_stream(add("stream", help="stream frames as they are made; type a new prompt to steer"))
    _add_continue(add("continue", help="continue a video or a token file"))
    _add_encode(add("encode", help="turn a video into a token file"))
    _add_decode(add("decode", help="turn a token file into a video"))
    _add_reconstruct(add("reconstruct", help="show a video beside its reconstruction from tokens"))
    _add_info(add("info", help="say what a bundle holds"))
    _add_export(add("export", help="make a bundle of a training's checkpoint"))
    _add_evaluate(add("evaluate", help="measure bundles and write a report"))
    _add_serve(add("serve", help="serve streams to browsers and programs"))
    _add_rest(add("bench", help="measure speeds beside peers and limits; in a checkout", add_help=False))
    _add_demo(add("demo", help="make a captioned set of clips with the embedded default"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0, 2 where the input was wrong, or 128 and the number of a signal."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console.open_standard_streams()
    try:
        _run(arguments)
        console.flush_output()
    except BrokenPipeError:
        console.drop_output()
        return console.BROKEN_PIPE
    except (ValueError, OSError) as error:
        console.say(error)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: list[str]) -> None:
    if arguments and arguments[0] in _ELSEWHERE:
        _ELSEWHERE[arguments[0]](arguments[1:])
        return
    parsed = build_parser().parse_args(arguments)
    with console.ends_on_sigterm():
        from . import commands  # takes seconds, which --help need not
        from .machine import SlowPrecision

        with console.warnings_in_one_line(commands.PromptWarning, SlowPrecision):
            getattr(commands, parsed.run)(parsed)


def _train(arguments: list[str]) -> None:
    from .train.cli import main as train

    train(arguments)


def _bench(arguments: list[str]) -> None:
    try:
        from .benchmarks.__main__ import main as bench
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.benchmarks":
            raise
        raise ValueError("the benchmarks are part of the repository, not of the package; run this in a clone of it") from error
    bench(arguments)


_ELSEWHERE: dict[str, Callable[[list[str]], None]] = {"train": _train, "bench": _bench}
"""Commands with parsers of their own."""


def _add_rest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=f"see `{parser.prog} --help`")


def _add_sample(parser: argparse.ArgumentParser) -> None:
    _add_prompt(parser, 'what the video shows, such as "a red circle moves right"')
    parser.add_argument("--num_frames", type=int, default=33, help="length of the clip, 1 + 4k (default: 33)")
    _add_bundle(parser)
    _add_out(parser)
    _add_sampling(parser)
    _add_compile(parser)
    parser.set_defaults(run="sample")


def _add_stream(parser: argparse.ArgumentParser) -> None:
    _add_prompt(parser, 'what the video shows; may change, as in "a red circle moves right; at 2s it stops"')
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
    _add_bundle(parser)
    _add_sampling(parser)
    _add_compile(parser)
    parser.set_defaults(run="stream")


def _add_encode(parser: argparse.ArgumentParser) -> None:
    _add_video(parser, "the video to encode")
    parser.add_argument("--out", required=True, help="token file to write: .fct")
    parser.set_defaults(run="encode")


def _add_decode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the token file to decode, whole or still being written")
    _add_bundle(parser)
    _add_video_out(parser)
    parser.set_defaults(run="decode")


def _add_continue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", help="the video to continue, or a token file (.fct)")
    parser.add_argument("--prompt", default=None, help="what the video shows; of a token file, its last prompt if not given")
    parser.add_argument("--num_frames", type=int, default=16, help="frames to add, a multiple of 4 (default: 16)")
    parser.add_argument(
        "--given_frames",
        type=int,
        default=None,
        help="last frames of the video to go on from, 1 + 4k (default: 17 of a video, all of a token file)",
    )
    _add_bundle(parser)
    _add_out(parser)
    _add_sampling(parser)
    _add_compile(parser)
    parser.set_defaults(run="continue_video")


def _add_reconstruct(parser: argparse.ArgumentParser) -> None:
    _add_video(parser, "the video to encode and decode")
    _add_video_out(parser)
    parser.set_defaults(run="reconstruct")


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", nargs="?", default=None, help="a bundle's folder (default: the embedded default)")
    parser.set_defaults(run="info")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="a checkpoint of a training, such as runs/train/checkpoints/last.ckpt")
    parser.add_argument("--out", required=True, help="the bundle's folder")
    parser.set_defaults(run="export")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundles", nargs="*", default=None, metavar="BUNDLE", help="folders of bundles (default: the embedded default)"
    )
    parser.add_argument("--out", default="report", help="folder of the report; an earlier run goes on there (default: report)")
    parser.add_argument("--quick", action="store_true", default=None, help="fewer clips: under three minutes on two cores")
    parser.add_argument("--clips", type=int, default=None, help="clips of each kind (default: 128, quick: 16)")
    parser.add_argument("--long_clips", type=int, default=None, help="streams whose drift is measured (default: 16, quick: 8)")
    parser.add_argument("--long_frames", type=int, default=None, help="their length, 1 + 4k (default: 513, quick: 265)")
    parser.add_argument("--real", default=None, metavar="FOLDER", help="a folder of real video for the tokenizer")
    parser.add_argument("--include", nargs="+", default=None, metavar="GLOB", help="files in it to use (default: all)")
    parser.add_argument(
        "--only", nargs="+", default=None, metavar="SECTION", help="sections to measure (default: all that apply)"
    )
    parser.add_argument("--fvd_features", default=None, metavar="FILE", help="weights of I3D as safetensors, for the usual FVD")
    _add_sampling(parser, seed=1000)
    parser.set_defaults(run="evaluate")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", nargs="?", default=None, help="a bundle's folder (default: the embedded default)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind to; others than this machine's own need a token (default: 127.0.0.1)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port to bind to; 0 takes a free one (default: 8000)")
    parser.add_argument("--slots", type=int, default=4, help="streams in one forward at most (default: 4)")
    parser.add_argument("--queue", type=int, default=12, help="sessions more than that, which take turns (default: 12)")
    parser.add_argument("--replicas", type=int, default=1, help="servers that share the work; more than 1 need Ray (default: 1)")
    parser.add_argument(
        "--ray_address",
        default=None,
        metavar="ADDRESS",
        help="cluster of Ray to join, such as auto (default: one on this machine)",
    )
    parser.add_argument("--replica_cpus", type=float, default=1, help="CPU cores of each replica, for Ray (default: 1)")
    parser.add_argument(
        "--token_file", default=None, metavar="FILE", help="what clients have to show (default: the variable FRAMECAST_TOKEN)"
    )
    parser.add_argument("--allow_host", nargs="+", default=None, metavar="NAME", help="other names of this server")
    parser.add_argument("--allow_origin", nargs="+", default=None, metavar="ORIGIN", help="sites whose pages may connect")
    _add_compute(parser)
    parser.set_defaults(run="serve", compile=None)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", help="folder for the clips, made if it is missing (default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="seed of every clip (default: 0)")
    parser.set_defaults(run="demo")


def _add_prompt(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("prompt", nargs="+", help=f"{what}; one, in quotes")


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the embedded default)")


def _add_video(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("video", help=what)
    parser.add_argument("--num_frames", type=int, default=None, help="frames to read, 1 + 4k (default: as many as there are)")
    _add_bundle(parser)


def _add_video_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, help="video file to write: .mp4, .gif, .webp, .png or .mkv (lossless)")


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, help="file to write: .mp4, .gif, .webp, .png, .mkv (lossless) or .fct (tokens)")


def _add_sampling(parser: argparse.ArgumentParser, seed: int = 0) -> None:
    parser.add_argument("--seed", type=int, default=seed, help=f"the same seed gives the same tokens (default: {seed})")
    parser.add_argument("--temperature", type=float, default=0.9, help="0 takes the likeliest token always (default: 0.9)")
    parser.add_argument("--top_k", type=int, default=None, help="keep the k likeliest tokens (default: all)")
    parser.add_argument(
        "--top_p", type=float, default=None, help="keep the likeliest tokens of this joint probability (default: all)"
    )
    parser.add_argument(
        "--guidance_scale", type=float, default=2.0, help="how closely to follow the prompt; 1 is no guidance (default: 2)"
    )
    parser.add_argument(
        "--decoding",
        default="row",
        help="tokens chosen at a time: token, row, frame or a number; jacobi: as token, faster (default: row)",
    )
    _add_compute(parser)


def _add_compute(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda (default: cpu)")
    parser.add_argument(
        "--dtype", choices=("float32", "bfloat16"), default="float32", help="precision of the video LM (default: float32)"
    )


def _add_compile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compile",
        action="store_true",
        default=None,
        help="compile the video LM first: minutes, then faster steps (default: no)",
    )
