"""`framecast record`: videos of an environment that is played, with what was done in it."""

from argparse import ArgumentParser, Namespace

HELP = "record videos and actions of an environment"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("env_id", help="the environment's id in Gymnasium, such as CarRacing-v3, or module:Id-v0")
    parser.add_argument("--out", required=True, help="folder to record in; a recording that is there goes on")
    parser.add_argument("--episodes", type=int, default=None, help="episodes in all (default: 10, or by --minutes)")
    parser.add_argument("--minutes", type=float, default=None, help="minutes of video in all")
    parser.add_argument("--policy", default="held", help="who plays: random, held, or module:function (default: held)")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of a frame (default: 64)")
    parser.add_argument("--fps", type=float, default=None, help="frames per second (default: about 12)")
    parser.add_argument("--frame_skip", type=int, default=None, help="steps of the environment for a frame (default: by --fps)")
    parser.add_argument("--max_frames", type=int, default=250, help="frames of an episode at most (default: 250)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same episodes (default: 0)")
    parser.add_argument("--caption", default="", help="what the videos show (default: nothing)")


def run(arguments: Namespace) -> None:
    from ..data.worlds import Play, record, world_spec

    spec = world_spec(arguments.env_id, size=arguments.size, fps=arguments.fps, frame_skip=arguments.frame_skip)
    play = Play(arguments.policy, arguments.seed, arguments.max_frames, arguments.caption)
    episodes = 10 if arguments.episodes is None and arguments.minutes is None else arguments.episodes
    for row in record(arguments.out, spec, play, episodes=episodes, minutes=arguments.minutes):
        print(f"{row['file']}: {row['num_frames']} frames")
