"""`python -m benchmarks.play`: how long a key takes to its picture, in Chromium, while a world is played (W1)."""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.table import Table

from framecast.data.actions import ActionSpace
from framecast.progress import Task

from .report import check_output, say, wide_console, write_json

WANTED = {"p50": 80.0, "p95": 120.0, "rate": 12.0}
"""Milliseconds at most, and frames per second at least."""
_HELD = (0.15, 0.9)  # seconds that a key is held, or that none is
_AHEAD = "ArrowUp"
_LISTEN = """() => {
    window.seen = [];
    document.addEventListener("keyseen", ({ detail }) => window.seen.push(detail.milliseconds));
}"""
_LOOKS = {
    "light": ((1280, 860), "light"),
    "dark": ((1280, 860), "dark"),
    "narrow": ((390, 844), "light"),
    "wide": ((1920, 1000), "light"),
}
_BOTH = """() => {
    const shown = [...document.querySelectorAll('.picture canvas')].map((canvas) => Number(canvas.dataset.frame ?? -1));
    return shown.length === 2 && shown.every((frame) => frame >= 0);
}"""
_SHOWN = "() => Number(document.querySelector('.picture canvas')?.dataset.frame ?? -1)"
_BEGINS, _RUNS = f"() => ({_SHOWN})() < 12", f"() => ({_SHOWN})() >= 12"


def main() -> None:
    """Plays for a while; a table, JSON, a histogram, and pictures of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=None, help="a world's folder (default: the shipped world)")
    parser.add_argument("--seconds", type=float, default=60, help="how long it is played (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of what is pressed, and when (default: 0)")
    parser.add_argument("--out", default="runs/play", help="where the JSON and the plot go, without a suffix")
    parser.add_argument("--looks", action="store_true", help="pictures of the page too: light, dark, narrow, wide")
    arguments = parser.parse_args()
    path = Path(arguments.out)
    check_output(path.with_suffix(".json"))
    chromium = os.environ.get("FRAMECAST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("got no chromium on the path; install it, or set FRAMECAST_CHROMIUM")
    if find_spec("playwright") is None:
        parser.error("got no playwright; pip install playwright")
    with server(arguments.bundle) as url, browser(chromium) as page:
        report = play(page, url, arguments.seconds, arguments.seed, path)
        write_json(path.with_suffix(".json"), report)
        wide_console().print(table(report))
        plot(report, path.with_suffix(".png"))
        if arguments.looks:
            look(page, path)


@contextmanager
def server(bundle: str | None) -> Iterator[str]:
    """`framecast play` in a process of its own; gives the page's address."""
    command = [sys.executable, "-m", "framecast", "play", *([bundle] if bundle else []), "--port", "0", "--no_browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        with Task("starting the server"):
            while not (found := re.search(r"at (http://\S+) for", line := process.stderr.readline())):
                if not line:
                    raise RuntimeError(f"the server did not start; its exit status is {process.wait()}")
                say(line.rstrip())
        yield found[1]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browser(chromium: str) -> Iterator[Any]:
    """A page of Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as library:
        opened = library.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened.new_page(viewport={"width": 1280, "height": 860})
        opened.close()


def play(page: Any, url: str, seconds: float, seed: int, path: Path) -> dict[str, object]:
    """Holds keys and lets them go, as a person does who explores; every figure is the page's own.

    Args:
        page: A page of a browser.
        url: Where the server is.
        seconds: How long.
        seed: Of what is pressed.
        path: Where a picture of the page goes, without a suffix.
    """
    page.goto(url)
    space = space_of(page)
    page.evaluate(_LISTEN)
    page.click(".play")
    page.wait_for_function(_RUNS)
    say(f"playing for {seconds:g} s")
    begun, first, presses = time.perf_counter(), page.evaluate(_SHOWN), 0
    for code, pause in keys(space, seed):
        page.keyboard.down(code)
        page.wait_for_timeout(1e3 * pause)
        if presses == 0:
            page.screenshot(path=path.with_suffix(".page.png"))
        page.keyboard.up(code)
        page.wait_for_timeout(1e3 * pause / 2)
        presses += 1
        if time.perf_counter() - begun > seconds:
            break
    frames, passed = page.evaluate(_SHOWN) - first, time.perf_counter() - begun
    return {"seconds": passed, "presses": presses, "frames_per_second": frames / passed, **figures(page.evaluate("() => seen"))}


def look(page: Any, path: Path) -> None:
    """Pictures of the page while a world is driven, in four forms; the wide one shows two futures."""
    codes = codes_of(space_of(page))
    ahead = _AHEAD if _AHEAD in codes else codes[0]
    page.reload()
    for name, (size, scheme) in _LOOKS.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme)
        page.click(".play" if name == "light" else ".restart")
        page.wait_for_function(_BEGINS)  # what restarts lets go of the keys
        page.wait_for_function(_RUNS)
        if name == "wide":
            page.click(".branch")
            page.get_by_role("button", name="Show both").click()
            page.wait_for_function(_BOTH)
        page.keyboard.down(ahead)
        page.wait_for_timeout(900)
        page.screenshot(path=path.with_name(f"{path.name}_{name}.png"))
        page.keyboard.up(ahead)


def space_of(page: Any) -> ActionSpace:
    """What can be done in the world that a page shows."""
    return ActionSpace.from_json(page.evaluate("async () => (await (await fetch('/v1/info')).json()).action_space"))


def keys(space: ActionSpace, seed: int) -> Iterator[tuple[str, float]]:
    """Keys of a world and how long each is held, in seconds, without end."""
    chance, codes = random.Random(seed), codes_of(space)
    while True:
        yield chance.choice(codes), chance.uniform(*_HELD)


def codes_of(space: ActionSpace) -> list[str]:
    """The keys of a world.

    Raises:
        ValueError: It has none.
    """
    codes = [button.key for button in space.buttons if button.key] + [key for axis in space.axes for key in axis.keys or ()]
    if not codes:
        raise ValueError("got a world without keys; wanted one whose buttons have some")
    return codes


def figures(times: Sequence[float]) -> dict[str, object]:
    """The figures of milliseconds from keys to their pictures."""
    if len(times) < 2:
        raise ValueError(f"got {len(times)} keys that were seen; wanted 2 or more; play longer")
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"seen": len(times), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "most": max(times), "times": list(times)}


def table(report: dict) -> Table:
    """The figures beside those that are wanted (W1)."""
    result = Table("what", "measured", "wanted", title=f"{report['seen']} key presses and releases in {report['seconds']:.0f} s")
    for name, words in (("p50", "half of the keys"), ("p95", "95 % of the keys")):
        result.add_row(f"{words}: to the picture", f"{report[name]:.0f} ms", f"{WANTED[name]:.0f} ms")
    result.add_row("99 %, all", f"{report['p99']:.0f}, {report['most']:.0f} ms", "")
    result.add_row("frames shown", f"{report['frames_per_second']:.1f} a second", f"{WANTED['rate']:g}")
    return result


def plot(report: dict, file: Path) -> None:
    """How the times are spread."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed")
        return
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.hist(report["times"], bins=range(0, int(report["most"]) + 12, 10), color="#4553c4")
    for name, style in (("p50", "-"), ("p95", "--")):
        axes.axvline(report[name], color="black", linestyle=style, linewidth=1, label=f"{name} {report[name]:.0f} ms")
    axes.set_xlabel("ms from a key to its picture, by the clock of the page")
    axes.set_ylabel("keys")
    axes.legend()
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
