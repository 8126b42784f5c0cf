"""`python -m benchmarks.serving`: a server under load - first frames, intervals, and how many sessions it plays in time."""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.table import Table
from websockets.asyncio.client import connect

from framecast.progress import Task
from framecast.serve.protocol.packets import Packet

from .default import PROMPT
from .report import wide_console, write_json
from .timing import p99

CREDITS = 24


@dataclass
class Watched:
    """What a client saw: moments in seconds, of its request and of every frame."""

    asked: float
    moments: list[float]

    @property
    def first(self) -> float:
        """Seconds to the first frame."""
        return self.moments[0] - self.asked

    @property
    def intervals(self) -> list[float]:
        """Seconds between frames."""
        return [after - before for before, after in pairwise(self.moments)]

    def late(self, fps: float) -> int:
        """Frames that came more than a frame's time after they were due; after such a one a player's clock starts anew."""
        late, start, first = 0, self.moments[0], 0
        for index, moment in enumerate(self.moments):
            if moment - start > (index - first + 1) / fps:
                late, start, first = late + 1, moment, index
        return late


def main() -> None:
    """Starts a server, asks more and more of it; a table, JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (default: 20)")
    parser.add_argument("--slots", type=int, default=4, help="streams in one forward (default: 4)")
    parser.add_argument("--out", default="runs/serving", help="where the JSON and the plot go, without a suffix")
    arguments = parser.parse_args()
    with Task("measuring the server"):
        report = asyncio.run(measure(arguments.bundle, arguments.seconds, arguments.slots))
    path = Path(arguments.out)
    write_json(path.with_suffix(".json"), report)
    wide_console().print(table(report))
    plot(report, path.with_suffix(".png"))


async def measure(bundle: str | None, seconds: float, slots: int) -> dict[str, object]:
    """All figures."""
    async with server(bundle, slots) as url:
        fps = await warm_up(url)
        alone = [await watch(url, 2, "video") for _ in range(5)]
        fast = [await together(url, count, seconds / 2, "fast") for count in (1, slots, 2 * slots)]
        capacity = max(sum(len(each.moments) for each in some) / (seconds / 2) for some in fast) / fps
        load = max(1, round(0.8 * capacity))
        paced = {count: await together(url, count, seconds, "video") for count in sorted({1, slots, load})}
    return {
        "fps": fps,
        "first_seconds": statistics.median(each.first for each in alone),
        "frames_per_second": {str(len(some)): sum(len(each.moments) for each in some) / (seconds / 2) for some in fast},
        "capacity": capacity,
        "sessions_at_80_percent": load,
        "paced": {str(count): figures(some, fps) for count, some in paced.items()},
    }


def figures(some: Sequence[Watched], fps: float) -> dict[str, object]:
    """The figures of sessions that play at the video's rate."""
    intervals = [interval for each in some for interval in each.intervals]
    frames = sum(len(each.moments) for each in some)
    return {
        "first_seconds": max(each.first for each in some),
        "median_seconds": statistics.median(intervals),
        "p99_seconds": p99(intervals),
        "in_time": 1 - sum(each.late(fps) for each in some) / frames,
        "intervals": intervals,
    }


@asynccontextmanager
async def server(bundle: str | None, slots: int) -> AsyncIterator[str]:
    """A server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "framecast", "serve", *([bundle] if bundle else []), "--port", "0"]
    process = subprocess.Popen([*command, "--slots", str(slots), "--queue", "60"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        while not (found := re.search(r"at http://(\S+) for", line)):
            if process.poll() is not None:
                raise RuntimeError(f"the server did not start: {line}")
            line = process.stderr.readline()
        yield f"ws://{found[1]}/v1/stream"
    finally:
        process.terminate()
        process.wait()


async def warm_up(url: str) -> float:
    """Lets the server make its first frames; returns the video's rate."""
    async with connect(url, compression=None, proxy=None) as socket:
        fps = json.loads(await socket.recv())["fps"]
    await watch(url, 3, "fast")
    return fps


async def together(url: str, count: int, seconds: float, pace: str) -> list[Watched]:
    """Several sessions at once."""
    return await asyncio.gather(*(watch(url, seconds, pace, seed) for seed in range(count)))


async def watch(url: str, seconds: float, pace: str, seed: int = 0) -> Watched:
    """One session of some seconds, whose client gives credit as frames come."""
    async with connect(url, compression=None, proxy=None) as socket:
        await socket.recv()
        start = {"type": "start", "prompt": PROMPT, "seed": seed, "pace": pace, "credits": CREDITS}
        seen = Watched(time.perf_counter(), [])
        await socket.send(json.dumps(start))
        while not seen.moments or time.perf_counter() - seen.moments[0] < seconds:
            message = await socket.recv()
            if isinstance(message, bytes):
                seen.moments.append(time.perf_counter())
                if Packet.unpack(message).index % (CREDITS // 2) == CREDITS // 2 - 1:
                    await socket.send(json.dumps({"type": "credit", "frames": CREDITS // 2}))
        return seen


def table(report: dict) -> Table:
    """The figures beside those that are wanted (P10)."""
    interval = 1 / report["fps"]
    result = Table("what", "measured", "wanted", title="serving, from the client's side")
    result.add_row("first frame, alone", f"{report['first_seconds'] * 1e3:.0f} ms", f"{2e3 * interval:.0f} ms")
    for count, rate in report["frames_per_second"].items():
        result.add_row(f"{count} sessions, as fast as possible", f"{rate:.0f} frames/s in all", "")
    for count, paced in report["paced"].items():
        share = float(count) / report["capacity"]
        intervals = f"median {paced['median_seconds'] * 1e3:.0f} ms, p99 {paced['p99_seconds'] * 1e3:.0f}"
        wanted = f"p99 {1.5e3 * paced['median_seconds']:.0f} ms, 99 % in time"
        result.add_row(
            f"{count} sessions at the video's rate, load {share:.0%}", f"{intervals}, {paced['in_time']:.1%} in time", wanted
        )
    return result


def plot(report: dict, file: Path) -> None:
    """The intervals between frames, by the number of sessions."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed")
        return
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for count, paced in report["paced"].items():
        ordered = sorted(1e3 * interval for interval in paced["intervals"])
        axes.plot(ordered, [(place + 1) / len(ordered) for place in range(len(ordered))], label=f"{count} sessions")
    axes.axvline(1e3 / report["fps"], color="gray", linewidth=0.8, label="the video's rate")
    axes.set_xlim(0, 3e3 / report["fps"])
    axes.set_xlabel("ms between frames, at the client")
    axes.set_ylabel("share of frames")
    axes.legend()
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
