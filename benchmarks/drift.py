"""`python -m benchmarks.drift`: what long streams of one bouncing object become, with and without renewing the sink.

Everything is read from the pixels: backgrounds of the sprite world are dark, so what is bright is the object.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.table import Table

from framecast.data.sprites import COLOURS
from framecast.progress import Task
from framecast.sample import SamplingParams, Stream, StreamBatch, VideoGenerator, load_generator

from .report import wide_console, write_json

BRIGHT = 120
"""A pixel belongs to the object if its largest channel is above this, of 255: above all backgrounds, and bars."""
STRETCH = 32
"""Latent frames over which figures are averaged."""
FORMS = {"visible": "{:.0%}", "colour": "{:.0%}", "area": "{:.0f} px", "background": "{:.1f}", "motion": "{:.1f}"}
"""How the figures are shown."""


def main() -> None:
    """Streams of every colour for each setting, measured in stretches of 32 latent frames; a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--latent_frames", type=int, default=512, help="length of each stream (default: 512)")
    parser.add_argument("--reanchor_every", type=int, nargs="*", default=[8, 32], help="settings beside never (default: 8 32)")
    parser.add_argument("--shape", default="circle", help="what bounces (default: circle)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first stream (default: 0)")
    parser.add_argument("--out", default="runs/drift.json", help="where the JSON goes")
    arguments = parser.parse_args()
    if arguments.latent_frames < STRETCH:
        parser.error(f"got --latent_frames {arguments.latent_frames}; wanted at least {STRETCH}")
    generator, params = load_generator(arguments.bundle), SamplingParams()
    report = {
        "bundle": {"name": generator.name, **generator.hashes},
        "params": asdict(params),
        "latent_frames": arguments.latent_frames,
        "shape": arguments.shape,
        "seed": arguments.seed,
        "settings": {},
    }
    for every in [None, *arguments.reanchor_every]:
        with Task(f"renewed every {every}", arguments.latent_frames, "latent frames") as task:
            colours = {
                generator.stream(f"a large {colour} {arguments.shape} bounces", seed, params, reanchor_every=every): colour
                for seed, colour in enumerate(COLOURS, arguments.seed)
            }
            frames = run(generator, colours, arguments.latent_frames, task.advance)
            report["settings"][str(every)] = stretches([measure(frames[stream], colours[stream]) for stream in colours])
    write_json(Path(arguments.out), report)
    wide_console().print(table(report))


def run(
    generator: VideoGenerator, streams: Iterable[Stream], length: int, advance: Callable[[], None]
) -> dict[Stream, np.ndarray]:
    """The last frame of every latent frame, uint8 `[length, H, W, 3]`, by stream."""
    batch = StreamBatch(generator, len(COLOURS))
    kept: dict[Stream, list[np.ndarray]] = {}
    for stream in streams:
        batch.join(stream)
        kept[stream] = [stream.take()[-1].image.numpy()]
    advance()
    for _ in range(length - 1):
        for stream, frames in batch.step().items():
            kept[stream].append(frames[-1].image.numpy())
            stream.take()
        advance()
    return {stream: np.stack(images) for stream, images in kept.items()}


def measure(frames: np.ndarray, colour: str) -> dict[str, np.ndarray]:
    """Figures of each frame of `[T, H, W, 3]`; NaN if there is no object. Colours are compared whatever the light."""
    palette = np.array(list(COLOURS.values()), dtype=np.float32)
    pixels = frames.astype(np.float32)
    level = pixels.max(axis=-1, keepdims=True)
    bright = level[..., 0] > BRIGHT
    hues, named = pixels / np.maximum(level, 1), palette / palette.max(axis=1, keepdims=True)
    nearest = np.linalg.norm(hues[..., None, :] - named, axis=-1).argmin(axis=-1)
    area = bright.sum(axis=(1, 2)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        right = ((nearest == list(COLOURS).index(colour)) & bright).sum(axis=(1, 2)) / area
        rows, columns = ((bright * place).sum(axis=(1, 2)) / area for place in places(bright.shape))
    dark = np.where(bright[..., None], np.nan, pixels)
    background = np.nanmean(dark, axis=(1, 2))
    step = np.hypot(np.diff(rows, prepend=np.nan), np.diff(columns, prepend=np.nan))
    return {
        "visible": (area >= 40).astype(np.float64),  # a small circle has some 95 pixels
        "area": area,
        "colour": right,
        "background": np.abs(background - background[0]).mean(axis=-1),
        "motion": step,
    }


def places(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every pixel, to be multiplied with `[T, H, W]`."""
    return np.arange(shape[1])[:, None], np.arange(shape[2])[None, :]


def stretches(streams: list[dict[str, np.ndarray]]) -> list[dict[str, float | None]]:
    """Means over all streams for each stretch of latent frames; None if there is nothing to average."""
    starts = range(0, len(streams[0]["area"]) - STRETCH + 1, STRETCH)
    return [
        {"first": first, **{name: mean([stream[name][first : first + STRETCH] for stream in streams]) for name in streams[0]}}
        for first in starts
    ]


def mean(values: list[np.ndarray]) -> float | None:
    """The mean of all numbers that are not NaN."""
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else None


def table(report: dict) -> Table:
    """The first stretch, the one in the middle and the last one of every setting."""
    shown = Table(
        title=f"{report['shape']}s that bounce for {report['latent_frames']} latent frames, means over {len(COLOURS)} streams"
    )
    columns = ("renewed every", "latent frames", "visible", "right colour", "area", "background moved", "px per latent frame")
    for column in columns:
        shown.add_column(column, justify="right")
    for every, parts in report["settings"].items():
        for part in (parts[0], parts[len(parts) // 2], parts[-1]):
            shown.add_row(
                every,
                f"{part['first']}-{part['first'] + STRETCH - 1}",
                *("-" if part[name] is None else form.format(part[name]) for name, form in FORMS.items()),
            )
    return shown


if __name__ == "__main__":
    main()
