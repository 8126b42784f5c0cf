"""`python -m benchmarks.precision`: steps of both trainings in each precision, and what `precision: auto` takes on this machine.

Another kind of machine is emulated by `ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2`.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Sequence

from framecast.machine import bfloat16_pays, product_rates
from framecast.progress import Task
from framecast.train.memory import keep_freed_memory

from .recipes import TRAININGS, LoopByHand

CONFIGS = {"tokenizer": ("sprites_tokenizer", "folder_tokenizer"), "video LM": ("sprites_lm", "speedrun_lm")}
"""The trainings that are stepped, by the kind of network."""


def main(words: Sequence[str] | None = None) -> None:
    """A row for each training: seconds of processor time of a step in both precisions, and how far auto is off the better one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="steps in each precision, in turns, after one more (default: 3)")
    parser.add_argument(
        "--only", nargs="+", choices=list(CONFIGS), default=list(CONFIGS), help="kinds of networks (default: all)"
    )
    arguments = parser.parse_args(words)
    warnings.filterwarnings("ignore", ".*self.log().*")  # the trainings are stepped without a trainer
    keep_freed_memory()
    auto = bfloat16_pays("cpu")
    print(f"{product_rates()}: auto is {'bf16-mixed' if auto else '32-true'}\n", flush=True)
    print("| training | 32-true | bf16-mixed | auto over the better one |\n|---|---|---|---|", flush=True)
    for kind in arguments.only:
        for config in CONFIGS[kind]:
            with Task(f"stepping {config}"):
                seconds = seconds_of_steps(kind, config, arguments.rounds)
            times = " | ".join(f"{seconds[mixed] * 1e3:.0f} ms" for mixed in (False, True))
            print(f"| {config} | {times} | {seconds[auto] / min(seconds.values()):.2f} |", flush=True)


def seconds_of_steps(kind: str, config: str, rounds: int) -> dict[bool, float]:
    """The median processor time of a step, with and without bfloat16, in turns."""
    loops = {mixed: LoopByHand(*TRAININGS[kind](config), mixed=mixed) for mixed in (False, True)}
    times: dict[bool, list[float]] = {mixed: [] for mixed in loops}
    for turn in range(1 + rounds):
        for mixed, loop in loops.items():
            started = time.process_time()
            loop()
            if turn:
                times[mixed].append(time.process_time() - started)
    return {mixed: statistics.median(column) for mixed, column in times.items()}


if __name__ == "__main__":
    main()
