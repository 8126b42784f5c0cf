"""`python -m benchmarks.jacobi`: forwards per latent frame of Jacobi decoding, scene by scene, beside token-by-token decoding."""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import torch
from rich.table import Table

from framecast.progress import tracked
from framecast.sample import SamplingParams, VideoGenerator, load_generator

from .report import machine, wide_console, write_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PROMPTS = (
    "a large red circle stands still",
    "a large red circle moves right",
    "a small yellow star bounces",
    "a large green triangle falls",
    "a large white ring moves left and a small blue square moves up",
)


@dataclass(frozen=True)
class Scene:
    """What Jacobi decoding needed for one prompt.

    Attributes:
        prompt: The prompt.
        first_forwards: Forwards of the first latent frame, by seed.
        forwards: Forwards of every later one.
        seconds: Time of each of these.
        token_seconds: The same token by token, in turns.
        equal: Whether all tokens were the same.
    """

    prompt: str
    first_forwards: list[int]
    forwards: list[int]
    seconds: list[float]
    token_seconds: list[float]
    equal: bool

    @property
    def speed_up(self) -> float:
        """How many times as fast as token by token."""
        return statistics.median(self.token_seconds) / statistics.median(self.seconds)

    def accepted_per_forward(self, frame_length: int) -> float:
        """How many of a latent frame's tokens a forward accepts, on average."""
        return frame_length / statistics.mean(self.forwards)


def main() -> None:
    """A table, JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--prompts", nargs="+", default=PROMPTS, help="scenes (default: five of the sprite world)")
    parser.add_argument("--seeds", type=int, default=3, help="streams of each scene (default: 3)")
    parser.add_argument("--latent_frames", type=int, default=12, help="length of each stream (default: 12)")
    parser.add_argument("--beside", default=None, metavar="JSON", help="an earlier run, drawn in the same picture")
    parser.add_argument("--out", default="runs/jacobi", help="where the JSON and the plot go, without a suffix")
    arguments = parser.parse_args()
    if arguments.latent_frames < 2 or arguments.seeds < 1:
        parser.error(f"got {arguments.seeds} seeds of {arguments.latent_frames} latent frames; wanted at least 1 and 2")
    generator = load_generator(arguments.bundle)
    prompts = tracked(arguments.prompts, "decoding", unit="prompts")
    scenes = [measure(generator, text, arguments.seeds, arguments.latent_frames) for text in prompts]
    frame_length = generator.lm.frame_length
    path = Path(arguments.out)
    write_json(path.with_suffix(".json"), {"frame_length": frame_length, "scenes": [asdict(scene) for scene in scenes]})
    wide_console().print(table(scenes, frame_length))
    runs = [(scenes, frame_length)] if arguments.beside is None else [read_run(Path(arguments.beside)), (scenes, frame_length)]
    plot(runs, path.with_suffix(".png"))


def read_run(path: Path) -> tuple[list[Scene], int]:
    """The scenes of an earlier run and the tokens of its latent frames."""
    report = json.loads(path.read_text())
    return [Scene(**scene) for scene in report["scenes"]], report["frame_length"]


def measure(generator: VideoGenerator, prompt: str, seeds: int, length: int) -> Scene:
    """Streams of one prompt, each decoded in both ways, latent frame by latent frame in turns."""
    first, forwards, seconds, token_seconds, equal = [], [], [], [], []
    for seed in range(seeds):
        jacobi, token = (generator.stream(prompt, seed, SamplingParams(decoding=kind)) for kind in ("jacobi", "token"))
        first.append(jacobi.advance().forwards)
        token.advance()
        for _ in range(length - 1):
            started = time.perf_counter()
            forwards.append(jacobi.advance().forwards)
            between = time.perf_counter()
            token.advance()
            seconds.append(between - started)
            token_seconds.append(time.perf_counter() - between)
        assert jacobi.tokens is not None and token.tokens is not None
        equal.append(torch.equal(jacobi.tokens, token.tokens))
    return Scene(prompt, first, forwards, seconds, token_seconds, all(equal))


def table(scenes: Sequence[Scene], frame_length: int) -> Table:
    """The figures for the terminal."""
    shown = Table(title=f"Jacobi decoding of latent frames of {frame_length} tokens, {machine()['threads']} threads")
    for column in (
        "scene",
        "same tokens",
        "first",
        "forwards, median (most)",
        "tokens a forward",
        "ms",
        "token by token",
        "times",
    ):
        shown.add_column(column, justify="left" if column == "scene" else "right")
    for scene in scenes:
        shown.add_row(
            scene.prompt,
            "all" if scene.equal else "NOT ALL",
            str(statistics.median(scene.first_forwards)),
            f"{statistics.median(scene.forwards)} ({max(scene.forwards)})",
            f"{scene.accepted_per_forward(frame_length):.1f}",
            f"{1e3 * statistics.median(scene.seconds):.0f}",
            f"{1e3 * statistics.median(scene.token_seconds):.0f}",
            f"{scene.speed_up:.1f}",
        )
    return shown


def plot(runs: Sequence[tuple[Sequence[Scene], int]], path: Path) -> None:
    """How often each number of forwards was needed, each run below the one before."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5 * len(runs)))
    for axes, (scenes, frame_length) in zip(figure.subplots(len(runs), squeeze=False)[:, 0], runs, strict=True):
        draw(axes, scenes, frame_length)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def draw(axes: "Axes", scenes: Sequence[Scene], frame_length: int) -> None:
    """The lines of one run."""
    most = max(max(scene.forwards) for scene in scenes)
    for scene in scenes:
        shares = [scene.forwards.count(count) / len(scene.forwards) for count in range(1, most + 1)]
        axes.plot(
            range(1, most + 1),
            shares,
            marker="o",
            label=f"{shorten(scene.prompt, 64)} ({scene.accepted_per_forward(frame_length):.1f})",
        )
    axes.set_xlabel(f"forwards for a latent frame of {frame_length} tokens")
    axes.set_ylabel("share of the latent frames")
    axes.set_ylim(0, 1.5 * axes.dataLim.ymax)  # room for the legend
    axes.legend(fontsize=8, title="scene (tokens a forward)", title_fontsize=8)


if __name__ == "__main__":
    main()
