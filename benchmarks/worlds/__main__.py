"""Trains the arms on a recording and prints a table of what they make of another, which was held out.

python -m benchmarks.worlds runs/car runs/car_held --arms "8x8, 200 codes" "stride 1" --out runs/ablations.json
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from rich.table import Table

from framecast.tokenizer import VideoTokenizer

from ..report import check_output, say, wide_console, write_json
from .arms import ARMS
from .clips import Clips, read_clips
from .judging import GIVEN, HORIZON, Verdict, judge
from .training import Trained, train_tokenizer, train_world

Tokenizers = dict[tuple[object, ...], Trained[VideoTokenizer]]
"""By what their training depends on."""
_COLUMNS: dict[str, Callable[[Verdict], str]] = {
    "tokens/s": lambda v: f"{v.tokens_a_second:.0f}",
    "ceiling, dB": lambda v: str(v.ceiling),
    "codes": lambda v: str(v.codes),
    "repeated": lambda v: f"{100 * v.repeated:.0f} %",
    "nats a frame": lambda v: f"{v.nats:.1f}",
    "more with others": lambda v: f"{v.nats_lost:.2f}",
    "dream, 16 frames": lambda v: str(v.dream),
    "above the last frame, moving": lambda v: str(v.gain),
    "delta-PSNR, moving": lambda v: str(v.delta),
    "dream, 32 frames": lambda v: str(v.late),
    "frames/s": lambda v: f"{v.frames_a_second:.0f}",
}


def main(words: Sequence[str] | None = None) -> None:
    """Compares arms; the file has what was judged so far after each of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=__doc__)
    parser.add_argument("recording", help="a folder of `framecast record`")
    parser.add_argument("held", help="another, of other seeds and another policy")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=tuple(ARMS), metavar="ARM", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--tokenizer_steps", type=int, default=900, help="steps of each tokenizer (default: 900)")
    parser.add_argument("--lm_steps", type=int, default=900, help="steps of each video LM (default: 900)")
    parser.add_argument("--out", default="runs/worlds.json", help="the file of the figures")
    arguments = parser.parse_args(words)
    if min(arguments.tokenizer_steps, arguments.lm_steps) < 1:
        parser.error("got fewer than 1 step; wanted a training")
    out = Path(arguments.out)
    check_output(out)
    torch.set_num_threads(1)
    clips, held = (read_clips(Path(folder), GIVEN + HORIZON) for folder in (arguments.recording, arguments.held))
    tokenizers: Tokenizers = {}
    rows: dict[str, dict[str, object]] = {}
    table = Table(title=f"{len(clips)} episodes of {clips.frames.shape[1]} frames, {len(held)} held out")
    for column in ("arm", *_COLUMNS, "seconds of training"):
        table.add_column(column)
    for name in arguments.arms:
        say(f"training {name}")
        verdict, seconds = compare(name, clips, held, arguments.tokenizer_steps, arguments.lm_steps, tokenizers)
        rows[name] = asdict(verdict) | {"seconds": seconds}
        write_json(out, {"steps": [arguments.tokenizer_steps, arguments.lm_steps], "arms": rows})
        table.add_row(name, *(show(verdict) for show in _COLUMNS.values()), " + ".join(f"{each:.0f}" for each in seconds))
    wide_console().print(table)


def compare(
    name: str, clips: Clips, held: Clips, tokenizer_steps: int, lm_steps: int, tokenizers: Tokenizers
) -> tuple[Verdict, tuple[float, float]]:
    """The figures of an arm, and the processor seconds of its two trainings; arms of one tokenizer share it."""
    arm = ARMS[name]
    if arm.trained_as not in tokenizers:
        tokenizers[arm.trained_as] = train_tokenizer(arm, clips, tokenizer_steps)
    tokenizer = tokenizers[arm.trained_as]
    world = train_world(arm, tokenizer.network, clips, lm_steps)
    return judge(world.network, tokenizer.network, held), (tokenizer.seconds, world.seconds)


if __name__ == "__main__":
    main()
