"""`framecast stream`: frames to a file or a pipe as they are made, steered from standard input."""

import argparse
import os
import queue
import resource
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from .console import say
from .data.video import Mp4Stream, Y4MStream
from .sample import Stream
from .sample.token_file import SUFFIX

STREAM_SUFFIXES = (".mp4", ".y4m", SUFFIX)
_RECENT = 24  # latent frames that the shown rate is of


class Sink(Protocol):
    """Where frames go."""

    def write(self, image: np.ndarray) -> None:
        """Takes a frame, uint8 `[H, W, 3]`."""

    def close(self) -> None:
        """Makes the file whole."""


def run_stream(stream: Stream, arguments: argparse.Namespace) -> None:
    """Streams until the time is up, the reader goes away or Ctrl-C; then the file is whole."""
    last = None if arguments.seconds is None else max(1, round(arguments.seconds * stream.codec.fps))
    with ExitStack() as stack:
        write = stack.enter_context(_sink(arguments.out, stream))
        report = stack.enter_context(_progress_line())
        meter, lines = Meter(), _typed_lines(arguments.prompts == "-")
        try:
            _pump(stream, write, last, lines, meter, report)
        except KeyboardInterrupt:
            pass  # the usual end of a stream that has none
        except BrokenPipeError:
            sys.stderr.write("the reader went away\n")
    kept = "" if arguments.out is not None else "; nothing was kept: --out NAME.mp4 keeps a stream"
    print(f"{meter.frames} frames, {meter.summary()}, seed {arguments.seed}{kept}", file=sys.stderr)


def _pump(
    stream: Stream,
    write: Callable[[np.ndarray], None],
    last: int | None,
    lines: "queue.SimpleQueue[str]",
    meter: "Meter",
    report: Callable[[str], None],
) -> None:
    for frame in stream:
        write(frame.image.numpy())
        meter.count(stream)
        if not stream.pending:  # a latent frame is out: now a prompt can change
            _steer(stream, lines)
            report(f"{meter.summary()} | {escape(stream.prompt)}")
        if last is not None and frame.index + 1 >= last:
            return


def _steer(stream: Stream, lines: "queue.SimpleQueue[str]") -> None:
    """Takes what was typed as the next prompt; a prompt that cannot be is said and left out."""
    while not lines.empty():
        prompt = lines.get()
        try:
            stream.set_prompt(prompt)
        except ValueError as error:
            say(error)  # above the progress line, which is written over


class Meter:
    """Counts frames, and how long they take."""

    def __init__(self) -> None:
        self.frames, self.started = 0, time.perf_counter()
        self.first: float | None = None
        self._moments: deque[tuple[float, int]] = deque([(self.started, 0)], maxlen=_RECENT + 1)

    def count(self, stream: Stream) -> None:
        """Notes a frame that is out."""
        self.frames += 1
        now = time.perf_counter()
        if self.first is None:
            self.first = now - self.started
        if not stream.pending:
            self._moments.append((now, self.frames))

    def summary(self) -> str:
        """Rate of the latest frames, time to the first one and to each latent frame, and memory."""
        (then, before), (now, after) = self._moments[0], self._moments[-1]
        steps = max(1, len(self._moments) - 1)
        rate = (after - before) / (now - then) if now > then else 0.0
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return (
            f"{rate:.1f} frames/s, first after {self.first or 0:.2f} s, latency {(now - then) / steps * 1e3:.0f} ms, "
            f"memory {memory:.0f} MiB"
        )


@contextmanager
def _sink(out: str | None, stream: Stream) -> Iterator[Callable[[np.ndarray], None]]:
    """What takes the frames; whatever happens, the file is whole afterwards."""
    shape = (stream.codec.height, stream.codec.width, stream.codec.fps)
    with ExitStack() as stack:
        stack.callback(stream.close)
        if out is None:
            yield lambda image: None
            return
        if Path(out).suffix.lower() == SUFFIX:
            stream.record(out)
            yield lambda image: None
            return
        sink: Sink
        if Path(out).suffix.lower() == ".mp4":
            sink = Mp4Stream(out, *shape)
        else:
            file: IO[bytes] = sys.stdout.buffer if out == "-" else stack.enter_context(open(out, "wb"))
            sink = Y4MStream(file, *shape)
        stack.callback(_close_quietly, sink)
        yield sink.write


def _close_quietly(sink: Sink) -> None:
    try:
        sink.close()
    except BrokenPipeError:
        pass  # said already


@contextmanager
def _progress_line() -> Iterator[Callable[[str], None]]:
    """A line on the terminal that is written again and again; nothing if there is no terminal."""
    console = Console(stderr=True)
    with Status("starting", console=console) as status:
        yield status.update


def _typed_lines(is_asked_for: bool) -> "queue.SimpleQueue[str]":
    """Lines from standard input as they come, read beside the work: from a terminal, or if they are asked for.

    Otherwise standard input is left alone: in a shell's loop it holds what the next commands of the loop are to read.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    if sys.stdin is not None and not sys.stdin.closed and (is_asked_for or sys.stdin.isatty()):
        threading.Thread(target=_read_lines, args=(sys.stdin.fileno(), lines), daemon=True).start()
    return lines


def _read_lines(file: int, lines: "queue.SimpleQueue[str]") -> None:
    """Reads past Python's own buffer, whose lock would be held when the program ends."""
    rest = b""
    while chunk := os.read(file, 2**16):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            _put_line(line, lines)
    _put_line(rest, lines)


def _put_line(line: bytes, lines: "queue.SimpleQueue[str]") -> None:
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        say(f"got the line {line[:60]!r}, which is no UTF-8, as a prompt; wanted text; it is left out")
        return
    if text:
        lines.put(text)
