"""`framecast bench`: our times beside those of peers and of the machine's limits; a table, JSON and a plot."""

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from rich.table import Table

from framecast.machine import product_rates
from framecast.progress import Task
from framecast.sample import load_generator

from . import default
from .report import check_output, machine, say, usable_device, wide_console, write_json
from .timing import Contest, Limits, Outcome, compete

GROUPS = ("decoding", "detokenizing", "quantizing", "vocabularies", "training", "default")


def main(words: Sequence[str] | None = None) -> None:
    """Runs the contests of the groups and reports them."""
    parser = argparse.ArgumentParser(prog="framecast bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="what is measured (default: all)")
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each rival takes (default: 3)")
    parser.add_argument("--out", default="runs/benchmarks", help="where the JSON and the plot go, without a suffix")
    arguments = parser.parse_args(words)
    if arguments.rounds < 3:
        parser.error(f"got --rounds {arguments.rounds}; wanted at least 3, for a median")
    device, path = usable_device(arguments.device), Path(arguments.out)
    check_output(path.with_suffix(".json"))
    say("measuring the machine's limits")
    with Task("measuring the machine's limits"):
        limits = Limits.measure(device)
    if torch.bfloat16 not in limits.arithmetic:
        say(f"rows in bfloat16 are skipped: this machine has no units for it ({product_rates()})")
    outcomes = []
    for group in arguments.only:
        say(f"preparing {group}")
        for contest in contests_of(group, arguments.bundle, device):
            say(f"measuring {contest.name}")
            with Task(contest.name):
                outcomes.append(compete(contest, limits, device, arguments.rounds))
            print(line(outcomes[-1]), flush=True)
    report = {
        "limits": {
            "bytes_per_second": limits.bandwidth,
            "operations_per_second": {str(dtype): most for dtype, most in limits.arithmetic.items()},
        },
        "rounds": arguments.rounds,
        "rows": [asdict(outcome) for outcome in outcomes],
    }
    write_json(path.with_suffix(".json"), report)
    wide_console().print(table(outcomes, limits))
    plot(outcomes, path.with_suffix(".png"))


def contests_of(group: str, bundle: str | None, device: torch.device) -> list[Contest]:
    """The contests of a group; those of the default are about a bundle."""
    if group == "default":
        return list(default.contests(load_generator(bundle, device)))
    return list(importlib.import_module(f".{group}", __package__).contests(device))


def table(outcomes: Sequence[Outcome], limits: Limits) -> Table:
    """The figures for the terminal."""
    peaks = ", ".join(
        f"{str(dtype).removeprefix('torch.')} {most / 1e9:.0f} GFLOP/s" for dtype, most in limits.arithmetic.items()
    )
    about = machine()
    title = f"{about['device']}, {about['threads']} threads; read {limits.bandwidth / 1e9:.0f} GB/s, {peaks}"
    shown = Table(title=title)
    for column in ("what", "ours", "peer", "ratio", "of the limit", "target", "peer is"):
        shown.add_column(column, justify="left" if column in ("what", "peer is") else "right")
    for row in outcomes:
        shown.add_row(
            row.name,
            f"{spoken(row.ours)} a {row.unit}",
            skipped(row) if row.peer is None else spoken(row.peer),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.share is None else f"{100 * row.share:.0f} %",
            row.target,
            row.peer_name,
        )
    return shown


def line(row: Outcome) -> str:
    """A row for those who cannot wait for the table."""
    beside = "" if row.ratio is None else f", {row.ratio:.2f} times as fast as {row.peer_name}"
    return f"{row.name}: {spoken(row.ours)} a {row.unit}{beside}"


def skipped(row: Outcome) -> str:
    """Why there is no figure of a peer."""
    return f"skipped: {row.peer_name} is not installed" if row.peer_name else ""


def spoken(seconds: float) -> str:
    """A time with a unit that fits."""
    for unit, least in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= least:
            return f"{seconds / least:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    """How many times as fast as its peer each row is."""
    from matplotlib.figure import Figure

    rows = [row for row in outcomes if row.ratio is not None][::-1]
    if not rows:
        return
    figure = Figure(figsize=(10, 1 + 0.35 * len(rows)))
    axes = figure.subplots()
    axes.barh([f"{row.name}\nbeside {row.peer_name}" for row in rows], [row.ratio or 0.0 for row in rows])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("times as fast as the peer")
    axes.tick_params(axis="y", labelsize=6)
    figure.savefig(path, dpi=120, bbox_inches="tight")


if __name__ == "__main__":
    main()
