"""`framecast evaluate`: figures, curves and clips of bundles, on one page."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from .options import add_action_guidance, add_sampling

HELP = "measure bundles and write a report"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "bundles", nargs="*", default=None, metavar="BUNDLE", help="folders of bundles (default: the shipped model)"
    )
    parser.add_argument("--out", default="report", help="folder of the report; an earlier run goes on there (default: report)")
    parser.add_argument("--quick", action="store_true", default=None, help="fewer clips, for a first look of minutes")
    parser.add_argument("--clips", type=int, default=None, help="clips of each kind (default: 128, quick: 16)")
    parser.add_argument("--long_clips", type=int, default=None, help="streams whose drift is measured (default: 16, quick: 8)")
    parser.add_argument("--long_frames", type=int, default=None, help="their length, 1 + 4k (default: 513, quick: 265)")
    parser.add_argument(
        "--real",
        default=None,
        metavar="FOLDER",
        help="a folder of real video, best of none that was trained on: measures any generator",
    )
    parser.add_argument("--include", nargs="+", default=None, metavar="GLOB", help="files in it to use (default: all)")
    parser.add_argument(
        "--captions", default=None, metavar="FILE", help="captions of its videos (default: captions.jsonl in it, if it is there)"
    )
    parser.add_argument(
        "--world",
        default=None,
        metavar="RECORDING",
        help="a recording with actions, best of another policy than that of training: measures a world that is played",
    )
    parser.add_argument(
        "--judge",
        default=None,
        metavar="RECORDING",
        help="a further recording of that world, such as that of training, from which the judge of its keys learns too",
    )
    parser.add_argument("--actions", default=None, metavar="FILE", help="actions of the recording (default: actions.jsonl in it)")
    parser.add_argument(
        "--action_delay",
        type=int,
        default=None,
        help="frames until an action of it shows, as in training (default: 0)",
    )
    parser.add_argument(
        "--play_frames", type=int, default=None, help="frames of play in which its drift is measured (default: 2000, quick: 512)"
    )
    parser.add_argument(
        "--only", nargs="+", default=None, metavar="SECTION", help="sections to measure (default: all that apply)"
    )
    parser.add_argument("--fvd_features", default=None, metavar="FILE", help="weights of I3D as safetensors, for the usual FVD")
    add_sampling(parser, seed=1000)
    add_action_guidance(parser)


def run(arguments: Namespace) -> None:
    from ..evaluate import QUICK, Settings, evaluate_bundles
    from ..generating import device_of, params_of
    from ..requests import checked_folder, given_options

    out = checked_folder(arguments.out)
    settings = QUICK if arguments.quick else Settings()
    settings = replace(
        settings,
        **given_options(arguments, "clips", "long_clips", "long_frames", "play_frames", "actions", "action_delay"),
        seed=arguments.seed,
        params=params_of(arguments),
        device=str(device_of(arguments)),
        dtype=arguments.dtype,
        real=arguments.real,
        include=tuple(arguments.include or ["*"]),
        captions=arguments.captions,
        world=arguments.world,
        judge=arguments.judge,
        features=arguments.fvd_features,
    )
    print(evaluate_bundles(arguments.bundles or [None], out, settings, arguments.only or []))
