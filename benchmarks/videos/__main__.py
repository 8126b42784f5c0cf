"""Trains tokenizers of several recipes on real video, each with a video LM, and says what they make of videos held out.

python -m benchmarks.videos train held_out --arms base "256 codes" steady --seeds 3 --out runs/videos.json
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import torch
from rich.table import Table

from ..report import check_output, say, wide_console, write_json
from ..worlds.training import train_world
from .arms import ARMS
from .clips import read_videos
from .judging import GIVEN, HORIZON, TEMPERATURES, Verdict, judge
from .training import train_tokenizer

_COLUMNS: dict[str, Callable[[Verdict], float]] = {
    "dB": lambda v: v.likeness.mean,
    "bits a pixel": lambda v: v.bits,
    "coded": lambda v: v.coded,
    "codes": lambda v: v.codes,
    "steady, %": lambda v: 100 * v.steady.mean,
    "nats a token": lambda v: v.nats,
    **{f"gain at {each:g}, dB": lambda v, each=each: v.continued[each].gain.mean for each in TEMPERATURES},  # type: ignore[misc]
    **{f"motion at {each:g}": lambda v, each=each: v.continued[each].motion for each in TEMPERATURES},  # type: ignore[misc]
}


def main(words: Sequence[str] | None = None) -> None:
    """Compares arms; the file has what was judged so far after each of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.videos", description=__doc__)
    parser.add_argument("videos", help="a folder of videos to train on")
    parser.add_argument("held", help="another, of other sources")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=tuple(ARMS), metavar="ARM", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each arm (default: 1)")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of a frame (default: 64)")
    parser.add_argument("--fps", type=float, default=10.0, help="frames per second (default: 10)")
    parser.add_argument("--tokenizer_steps", type=int, default=900, help="steps of each tokenizer (default: 900)")
    parser.add_argument("--lm_steps", type=int, default=900, help="steps of each video LM (default: 900)")
    parser.add_argument("--out", default="runs/videos.json", help="the file of the figures")
    arguments = parser.parse_args(words)
    if min(arguments.tokenizer_steps, arguments.lm_steps, arguments.seeds) < 1:
        parser.error("got fewer than 1 step or seed; wanted a training")
    out = Path(arguments.out)
    check_output(out)
    torch.set_num_threads(1)
    length = GIVEN + HORIZON
    clips, held = (read_videos(Path(each), length, arguments.size, arguments.fps) for each in (arguments.videos, arguments.held))
    table = Table(title=f"{len(clips)} clips of {length} frames, {len(held)} held out; {arguments.seeds} seeds")
    for column in ("arm", *_COLUMNS, "seconds"):
        table.add_column(column)
    rows: dict[str, list[dict[str, object]]] = {}
    for name in arguments.arms:
        verdicts, seconds = [], []
        for seed in range(arguments.seeds):
            say(f"training {name}, seed {seed}")
            tokenizer = train_tokenizer(ARMS[name], clips, arguments.tokenizer_steps, seed)
            world = train_world(ARMS[name], tokenizer.network, clips, arguments.lm_steps, seed)
            verdicts.append(judge(world.network, tokenizer.network, held))
            seconds.append(tokenizer.seconds + world.seconds)
            rows.setdefault(name, []).append(asdict(verdicts[-1]) | {"seconds": [tokenizer.seconds, world.seconds]})
            write_json(out, {"steps": [arguments.tokenizer_steps, arguments.lm_steps], "arms": rows})
        table.add_row(name, *(_shown([show(verdict) for verdict in verdicts]) for show in _COLUMNS.values()), _shown(seconds))
    wide_console().print(table)


def _shown(values: Sequence[float]) -> str:
    """The mean over seeds and, of several, its standard deviation."""
    spread = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{mean(values):.4g}{spread}"


if __name__ == "__main__":
    main()
