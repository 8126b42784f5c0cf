"""`python -m benchmarks.streaming`: what a latent frame of a stream costs, from the first to the last, alone and in a batch."""

import argparse
import resource
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from rich.table import Table
from torch import Tensor

from framecast.progress import tracked
from framecast.sample import SamplingParams, Stream, StreamBatch, VideoGenerator, load_generator

from .default import PROMPT
from .report import machine, wide_console, write_json
from .timing import p99, seconds_of

EARLY, LATE = 32, 512
"""Latent frames whose cost P5 compares."""


def main() -> None:
    """One long stream, then one short one beside a batch of them; a table, JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--latent_frames", type=int, default=600, help="length of the long stream (default: 600)")
    parser.add_argument("--slots", type=int, default=8, help="streams in the batch (default: 8)")
    parser.add_argument("--decoding", default="row", help="token, row, frame or jacobi (default: row)")
    parser.add_argument("--out", default="runs/streaming", help="where the JSON and the plot go, without a suffix")
    arguments = parser.parse_args()
    if arguments.latent_frames < LATE + 8:
        parser.error(f"got --latent_frames {arguments.latent_frames}; wanted at least {LATE + 8}, to compare early with late")
    generator, params = load_generator(arguments.bundle), SamplingParams(decoding=arguments.decoding)
    stream = generator.stream(PROMPT, params=params)
    seconds, memory = long_stream(stream, arguments.latent_frames)
    report = {
        "decoding": arguments.decoding,
        "frames_per_latent_frame": generator.tokenizer.temporal_stride,
        "seconds": seconds,
        "memory_bytes": memory,
        "growth_bytes": memory[LATE] - memory[EARLY],
        "first_seconds": seconds[0],
        "median_seconds": statistics.median(seconds[1:]),
        "p99_seconds": p99(seconds[1:]),
        **flatness(generator, params, stream),
        **batch_gain(generator, params, arguments.slots),
        **detokenizing(generator, stream),
    }
    path = Path(arguments.out)
    write_json(path.with_suffix(".json"), report)
    wide_console().print(table(report))
    plot(report, path.with_suffix(".png"))


def long_stream(stream: Stream, length: int) -> tuple[list[float], list[int]]:
    """Seconds of each latent frame of a stream from its start, and bytes of memory after it."""
    seconds, memory = [], []
    for _ in tracked(range(length), "streaming", unit="latent frames"):
        seconds.append(timed(stream.advance))
        memory.append(resident_bytes())
    return seconds, memory


def flatness(generator: VideoGenerator, params: SamplingParams, late: Stream, steps: int = 24) -> dict[str, float]:
    """Time of a latent frame of an old stream over that of a young one, in turns, so that a busy moment hits both."""
    early = generator.stream(PROMPT, params=params)
    for _ in range(EARLY):
        early.advance()
    seconds: dict[Stream, list[float]] = {early: [], late: []}
    for _ in range(steps):
        for stream, its_seconds in seconds.items():
            its_seconds.append(timed(stream.advance))
    young, old = (statistics.median(its_seconds) for its_seconds in seconds.values())
    return {"early_seconds": young, "late_seconds": old, "late_over_early": old / young}


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    return seconds_of(work, torch.device("cpu"))


def detokenizing(generator: VideoGenerator, stream: Stream, length: int = 33, repeats: int = 16) -> dict[str, float]:
    """Time of decoding latent frame by latent frame over that of all at once, in turns, and how far the pixels differ."""
    assert stream.tokens is not None
    tokens = stream.tokens[:length][None].to(generator.device)
    made: dict[str, Tensor] = {}

    @torch.inference_mode()
    def offline() -> None:
        made["offline"] = generator.tokenizer.decode(tokens)

    @torch.inference_mode()
    def streaming() -> None:
        state = generator.tokenizer.init_decoder_state(1, *tokens.shape[2:])
        made["streaming"] = torch.cat([generator.tokenizer.decode(piece, state) for piece in tokens.split(1, dim=1)], dim=2)

    seconds: dict[Callable[[], None], list[float]] = {offline: [], streaming: []}
    for work in seconds:
        work()  # the warm-up
    for _ in range(repeats):
        for work, its_seconds in seconds.items():
            its_seconds.append(timed(work))
    return {
        "decode_seconds": statistics.median(seconds[offline]),
        "decode_streaming_over_offline": statistics.median(seconds[streaming]) / statistics.median(seconds[offline]),
        "decode_difference": (made["offline"] - made["streaming"]).abs().max().item(),
    }


def batch_gain(generator: VideoGenerator, params: SamplingParams, slots: int, steps: int = 40) -> dict[str, float]:
    """Tokens per second of a full batch over those of one stream, in turns, so that a busy moment hits both."""
    one = generator.stream(PROMPT, params=params)
    one.advance()
    batch = StreamBatch(generator, slots)
    joins = []
    for seed in range(slots):
        stream = generator.stream(PROMPT, seed, params)
        joins.append(timed(partial(batch.join, stream)))
    alone: list[float] = []
    together: list[float] = []
    for _ in range(steps):
        alone.append(timed(one.advance))
        together.append(timed(batch.step))
    single, full = statistics.median(alone), statistics.median(together)
    return {
        "slots": slots,
        "one_seconds": single,
        "batch_seconds": full,
        "batch_p99_seconds": p99(together),
        "batch_gain": slots * single / full,
        "join_seconds": statistics.median(joins),
    }


def resident_bytes() -> int:
    """Memory of this process now, if the system says so, or else its peak."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(report: dict) -> Table:
    """The figures beside the targets they stand for."""
    shown = Table(title=f"{machine()['device']}, {machine()['threads']} threads, {report['decoding']} decoding")
    for column in ("figure", "measured", "target"):
        shown.add_column(column, justify="left" if column == "figure" else "right")
    frames = report["frames_per_latent_frame"]
    rows = [
        ("first latent frame", f"{report['first_seconds']:.2f} s", "<= 1 s (P12)"),
        ("frames per second", f"{frames / report['median_seconds']:.1f}", ">= 24 (P12)"),
        ("latent frame, median / p99", both(report["median_seconds"], report["p99_seconds"]), ""),
        (f"latent frame {len(report['seconds'])} over {EARLY}", f"{report['late_over_early']:.2f}", "<= 1.10 (P5)"),
        (f"memory from {EARLY} to {LATE}", f"{report['growth_bytes'] / 2**20:+.1f} MiB", "<= 5 MiB (P5)"),
        (f"{report['slots']} streams over one, tokens per second", f"{report['batch_gain']:.1f}", ">= 5 (P4)"),
        (f"{report['slots']} streams, a step, median / p99", both(report["batch_seconds"], report["batch_p99_seconds"]), ""),
        ("a join, in steps of the batch", f"{report['join_seconds'] / report['batch_seconds']:.1f}", "<= 1 (P4)"),
        ("detokenizing, streaming over offline", f"{report['decode_streaming_over_offline']:.2f}", "<= 1.10 (P6)"),
        ("its pixels differ by at most", f"{report['decode_difference']:.1e}", "<= 1e-5"),
    ]
    for row in rows:
        shown.add_row(*row)
    return shown


def both(median: float, late: float) -> str:
    """Two times in milliseconds."""
    return f"{median * 1e3:.0f} / {late * 1e3:.0f} ms"


def plot(report: dict, path: Path) -> None:
    """Time and memory of every latent frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5))
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot([second * 1e3 for second in report["seconds"][1:]], linewidth=0.5)
    above.set_ylabel("ms per latent frame")
    above.set_ylim(bottom=0)
    below.plot([value / 2**20 for value in report["memory_bytes"][1:]])
    below.set_ylabel("resident memory, MiB")
    below.set_ylim(0, 1.2 * max(report["memory_bytes"]) / 2**20)
    below.set_xlabel("latent frame")
    figure.savefig(path, dpi=120, bbox_inches="tight")


if __name__ == "__main__":
    main()
