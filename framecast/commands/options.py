"""Options that several commands have, each declared once.

An option that is not given is None if a class takes its value, such as `SamplingParams`: the default is the class's own. The help
says that default too, and a test compares the two.
"""

from argparse import ArgumentParser


def add_prompt(parser: ArgumentParser, what: str) -> None:
    parser.add_argument(
        "prompt", nargs="*", help=f"{what}; in quotes (not needed if all videos of the training showed the same, or by --start)"
    )


_BUNDLE = 'a bundle\'s folder; "world" is the shipped world (default: the shipped model)'


def add_named_bundle(parser: ArgumentParser) -> None:
    parser.add_argument("bundle", nargs="?", default=None, help=_BUNDLE)


def add_named_world(parser: ArgumentParser) -> None:
    parser.add_argument("bundle", nargs="?", default=None, help="a world's folder (default: the shipped world)")


def add_bundle(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", default=None, help=_BUNDLE)


def add_video(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("video", help=what)
    parser.add_argument("--num_frames", type=int, default=None, help="frames to read, 1 + 4k (default: as many as there are)")
    add_bundle(parser)


_VIDEOS = ".mp4, .gif, .webp, .png, .mkv (lossless), .sheet.png (contact sheet)"


def add_video_out(parser: ArgumentParser) -> None:
    parser.add_argument("--out", default=None, help=f"video file to write: {_VIDEOS} (default: a new .mp4 in this folder)")


def add_out(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", default=None, help=f"file to write: {_VIDEOS} or .fct (tokens) (default: a new .mp4 in this folder)"
    )


def add_seed(parser: ArgumentParser, default: int) -> None:
    parser.add_argument("--seed", type=int, default=default, help=f"the same seed gives the same tokens (default: {default})")


def add_sampling(parser: ArgumentParser, seed: int = 0) -> None:
    """The seed, how tokens are chosen, and where that is computed."""
    add_seed(parser, seed)
    parser.add_argument("--temperature", type=float, default=None, help="0 takes the likeliest token always (default: 0.9)")
    parser.add_argument("--top_k", type=int, default=None, help="keep the k likeliest tokens (default: all)")
    parser.add_argument(
        "--top_p", type=float, default=None, help="keep the likeliest tokens of this joint probability (default: all)"
    )
    parser.add_argument(
        "--guidance_scale", type=float, default=None, help="how closely to follow the prompt; 1 is no guidance (default: 2)"
    )
    parser.add_argument("--negative_prompt", default=None, help="what to lead the video away from (default: nothing)")
    parser.add_argument(
        "--decoding",
        default=None,
        help="tokens chosen at a time: token, row, frame or a number; jacobi: as token, faster (default: row)",
    )
    add_compute(parser)


def add_actions(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--actions",
        default=None,
        help='what is done in a world, such as "left*8 gas*20" (frames), or a file: .npy, .csv, .parquet, .jsonl, .fct '
        "(default: unknown)",
    )
    add_action_guidance(parser)


def add_action_guidance(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--action_guidance", type=float, default=None, help="how closely to obey the actions; 1 is no guidance (default: 1)"
    )


def add_start(parser: ArgumentParser) -> None:
    parser.add_argument("--start", default=None, help="the name or number of a start of the bundle to begin with (default: none)")


def add_compute(parser: ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda (default: cpu)")
    parser.add_argument(
        "--dtype", choices=("float32", "bfloat16"), default="float32", help="precision of the video LM (default: float32)"
    )


def add_compile(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--compile",
        action="store_true",
        default=None,
        help="compile the video LM first: minutes, then faster steps (default: no)",
    )
