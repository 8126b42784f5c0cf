"""Trains the arms with several seeds and prints a table of what they learned, beside the base at equal steps and equal time.

make runs/speedrun_tokenizer/bundle
python -m benchmarks.learning --arms base Muon --out runs/learning.json
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from rich.table import Table

from ..report import check_output, say, wide_console, write_json
from .arms import ARMS, BASES
from .comparing import Comparison, Row
from .training import Run, open_data
from .work import Work

COLUMNS = ("seeds", "nats by tokens", "by rows", "by frames", "of the base, equal steps", "time of a step", "equal time")


def main(words: Sequence[str] | None = None) -> None:
    """Runs what the file does not hold yet; it has each run as soon as that is over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--tokenizer", default="runs/speedrun_tokenizer/bundle", help="the bundle of the speedrun's tokenizer")
    parser.add_argument("--shards", default="runs/learning_tokens", help="the folder of the tokens, made if missing")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=tuple(ARMS), metavar="ARM", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each arm (default: 3)")
    parser.add_argument("--steps", type=int, default=600, help="steps of the base (default: 600, some 2 minutes of one core)")
    parser.add_argument("--processes", type=int, default=2, help="trainings at a time, of one thread each (default: 2)")
    parser.add_argument("--out", default="runs/learning.json", help="the file of the figures")
    arguments = parser.parse_args(words)
    if min(arguments.seeds, arguments.steps, arguments.processes) < 1:
        parser.error("got fewer than 1 seed, step or process; wanted trainings")
    out = Path(arguments.out)
    check_output(out)
    work = Work(Path(arguments.tokenizer), Path(arguments.shards), arguments.steps)
    runs, costs = read(out, arguments.steps)
    open_data(work.tokenizer, work.shards, 1)  # made once, before the processes begin
    wanted = [(arm, seed) for seed in range(arguments.seeds) for arm in dict.fromkeys((*BASES, *arguments.arms))]
    missing = [each for each in wanted if each not in {(run.arm, run.seed) for run in runs}]
    for run in _in_processes(work, missing, arguments.processes):
        runs.append(run)
        write(out, arguments.steps, runs, costs)
    for arm in arguments.arms:
        costs[arm] = costs[arm] if arm in costs else 1.0 if arm in BASES else work.cost(arm)
        write(out, arguments.steps, runs, costs)
    wide_console().print(table(runs, costs, arguments.arms, arguments.steps))


def read(out: Path, steps: int) -> tuple[list[Run], dict[str, float]]:
    """What an earlier call of as many steps has run."""
    if not out.is_file():
        return [], {}
    report = json.loads(out.read_text())
    if report["steps"] != steps:
        raise SystemExit(f"got --steps {steps} and runs of {report['steps']} in {out}; wanted equal ones; name another --out")
    return [Run(**run) for run in report["runs"]], report["costs"]


def write(out: Path, steps: int, runs: Sequence[Run], costs: dict[str, float]) -> None:
    """All that was run so far."""
    write_json(out, {"steps": steps, "costs": costs, "runs": [asdict(run) for run in runs]})


def table(runs: Sequence[Run], costs: dict[str, float], arms: Sequence[str], steps: int) -> Table:
    """One row for each arm."""
    made = Table("arm", *COLUMNS, title=f"Nats a token after {steps} steps, held-out clips")
    comparison = Comparison(runs, costs)
    for arm in arms:
        made.add_row(arm, *cells(comparison.row(arm)))
    return made


def cells(row: Row) -> list[str]:
    """The row as text."""
    nats = [f"{value:.3f}" + (f" ± {spread:.3f}" if spread == spread else "") for value, spread in row.nats.values()]
    return [str(row.num_seeds), *nats, str(row.equal_steps or ""), f"{row.seconds:.2f}", str(row.equal_time or "")]


def _in_processes(work: Work, wanted: Sequence[tuple[str, int]], processes: int) -> Iterator[Run]:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for done in as_completed([pool.submit(work.train, *each) for each in wanted]):
            run = done.result()
            say(f"{run.arm}, seed {run.seed}: " + ", ".join(f"{name} {nats:.4f}" for name, nats in run.nats.items()))
            yield run


if __name__ == "__main__":
    main()
