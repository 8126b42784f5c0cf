"""Interlaced frames to whole ones, one for one, by ffmpeg's `bwdif`."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.filter import Graph

SMALLEST = 4  # rows and columns that the filter needs


class Timed(NamedTuple):
    """A decoded frame and when it is shown, in seconds after the first frame."""

    time: float
    frame: av.VideoFrame
    end: float


def deinterlaced(frames: Iterator[Timed]) -> Iterator[Timed]:
    """The same frames at the same times, each made whole if it is marked as interlaced.

    A frame depends on the two beside it and on no other, so that reading from a key frame gives the same as reading it all.
    """
    weaver: _Weaver | None = None
    before: Timed | None = None
    for timed in frames:
        if weaver is not None and not weaver.takes(timed.frame):
            yield from weaver.flush()
            weaver, before = None, None
        if weaver is None and timed.frame.interlaced_frame and min(timed.frame.height, timed.frame.width) >= SMALLEST:
            weaver = _Weaver(timed.frame, before)
        if weaver is None:
            yield timed
        else:
            yield from weaver.push(timed)
        before = timed
    if weaver is not None:
        yield from weaver.flush()


class _Weaver:
    """The filter for frames of one size and format; it gives each frame when it has seen the next one."""

    def __init__(self, frame: av.VideoFrame, before: Timed | None):
        self._kind = _kind(frame)
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
        )
        filter = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        self._graph.link_nodes(source, filter, self._graph.add("buffersink")).configure()
        self._waiting: deque[Timed] = deque()
        self._known = 0
        if before is not None and _kind(before.frame) == self._kind:
            self._known = 1
            list(self.push(before))

    def takes(self, frame: av.VideoFrame) -> bool:
        return _kind(frame) == self._kind

    def push(self, timed: Timed) -> Iterator[Timed]:
        self._waiting.append(timed)
        self._graph.vpush(timed.frame)
        yield from self._pull()

    def flush(self) -> Iterator[Timed]:
        self._graph.vpush(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Timed]:
        while self._waiting:
            try:
                frame = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            timed = self._waiting.popleft()
            if self._known:
                self._known -= 1
            else:
                yield Timed(timed.time, frame, timed.end)


def _kind(frame: av.VideoFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.height, frame.width
