"""`python -m benchmarks`: how fast a bundle generates and reconstructs on this machine; a table, and JSON."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from framecast.data import SpriteWorld, to_video
from framecast.sample import SamplingParams, VideoGenerator, load_generator

PROMPT = "a large red circle moves right"
CLIP_FRAMES = 33


def main() -> None:
    """Runs every row in turn, `--repeats` times over, and reports medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the embedded default)")
    parser.add_argument("--repeats", type=int, default=3, help="interleaved runs of each row (default: 3)")
    parser.add_argument("--out", default="runs/benchmarks.json", help="where the JSON goes")
    arguments = parser.parse_args()
    generator = load_generator(arguments.bundle)
    times = interleaved(rows(generator), arguments.repeats)
    results = [
        {"row": name, "seconds": seconds, "frames": frames, "frames_per_second": frames / seconds}
        for name, (seconds, frames) in times.items()
    ]
    report = {"machine": machine(), "fps": generator.fps, "repeats": arguments.repeats, "rows": results}
    Console().print(table(report))
    path = Path(arguments.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2))


def rows(generator: VideoGenerator) -> dict[str, Callable[[], int]]:
    """What is timed: each function does its work and returns the frames it made."""
    clip = to_video(SpriteWorld(num_frames=CLIP_FRAMES, size=generator.height)[0].frames)[None].to(generator.device)
    with torch.inference_mode():
        tokens = generator.tokenizer.encode(clip)

    def first_frame() -> int:
        next(generator.stream(PROMPT))
        return 1

    def encode() -> int:
        with torch.inference_mode():
            generator.tokenizer.encode(clip)
        return CLIP_FRAMES

    def decode() -> int:
        generator.decode(tokens[0])
        return CLIP_FRAMES

    def generate(decoding: str) -> Callable[[], int]:
        params = SamplingParams(decoding=decoding)
        return lambda: len(generator.generate(PROMPT, CLIP_FRAMES, params=params).frames)

    return {
        "first frame": first_frame,
        "encode": encode,
        "decode, streaming": decode,
        **{f"generate by {decoding}": generate(decoding) for decoding in ("token", "jacobi", "row", "frame")},
    }


def interleaved(work: dict[str, Callable[[], int]], repeats: int) -> dict[str, tuple[float, int]]:
    """Median seconds and frames of each row; the rows take turns, so that a busy moment hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    frames = {name: run() for name, run in work.items()}  # the warm-up
    for _ in range(repeats):
        for name, run in work.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: (statistics.median(values), frames[name]) for name, values in seconds.items()}


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def table(report: dict) -> Table:
    """The report as a table for the terminal."""
    shown = Table(title=f"{report['machine']['device']}, {report['machine']['threads']} threads, float32")
    for column in ("row", "seconds", "frames", "frames/s"):
        shown.add_column(column, justify="left" if column == "row" else "right")
    for row in report["rows"]:
        shown.add_row(row["row"], f"{row['seconds']:.3f}", str(row["frames"]), f"{row['frames_per_second']:.1f}")
    return shown


if __name__ == "__main__":
    main()
