"""The frames of a file in order of time, from a moment on; what is damaged is left out and said."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av

from .container import MAX_GAP, Container
from .deinterlacing import Timed, deinterlaced
from .errors import DECODE_ERRORS, VideoError, advice_for, reason_of

MARGIN = 0.5  # seconds between the key frame that decoding begins at and the moment asked for
SHORT = 0.25  # seconds that a file may end before its header says
MAX_HELD = 64 * 1024**2  # bytes of packets held while the next key frame is looked for
RESTARTING = frozenset(
    "av1 dnxhd dvvideo ffv1 ffvhuff flv1 h263 h264 hevc huffyuv mjpeg mpeg1video mpeg2video mpeg4 msmpeg4v2 msmpeg4v3 prores "
    "rawvideo theora utvideo vc1 vp8 vp9 vvc wmv1 wmv2 wmv3".split()
)  # codecs in which what follows a key frame depends on nothing before it


class Decoder:
    """Decodes a file once, from `start` on.

    After damage, decoding goes on at the next key frame, since what lies before it would be made of what is missing.

    Args:
        path: Any video file.
        start: Seconds after the first frame that can be decoded.
        seeks: Whether to begin at a key frame near `start`, if there is one to rely on.

    Raises:
        VideoError: If no frame can be decoded.
    """

    first: Timed
    """The frame shown at `start`, or one before it."""
    rest: Iterator[Timed]
    """The frames after it."""

    def __init__(self, path: Path, start: float, seeks: bool = True):
        self._path = path
        self._begin()
        try:
            frames = self._from(start) if seeks and start > 2 * MARGIN else self._from_the_start()
            first = next(frames, None)
            if first is None:  # nothing is marked as a key frame, or only what cannot be decoded
                frames = self._again(waiting=False)
                first = next(frames, None)
            if first is None:
                raise VideoError(f"no frame of {path} can be decoded ({self.damage or 'it holds none'}); {advice_for(path)}")
        except BaseException:
            self.close()
            raise
        self.first, self.rest = first, frames

    def close(self) -> None:
        """Closes the file."""
        self.container.close()

    @property
    def damage(self) -> str | None:
        """What could not be decoded so far."""
        if self._damage is None:
            return self.container.damage
        return self._damage if self._lost < 2 else f"{self._damage}; {self._lost} frames in all were left out"

    def _begin(self, waiting: bool = True) -> None:
        self.container = Container(self._path)
        self._codec = self.container.stream.codec_context
        self._packets = self.container.packets()
        self._damage: str | None = None
        self._lost = self._count = 0
        self._origin: int | None = None  # the stamp of the first frame
        self._last: float | None = None  # seconds
        self._earliest: int | None = None  # stamps before it are of frames made from what was not read
        self._restarts = self._codec.name in RESTARTING
        self._awaits_packet, self._awaits_frame = waiting and self._restarts, False

    def _again(self, waiting: bool = True) -> Iterator[Timed]:
        self.container.close()
        self._begin(waiting)
        return self._from_the_start()

    def _from_the_start(self) -> Iterator[Timed]:
        return self._guarded(deinterlaced(self._decoded()))

    def _from(self, start: float) -> Iterator[Timed]:
        """From the last key frame well before `start`; from the start of the file if there is none to rely on."""
        decoded = self._decoded()
        first = next(decoded, None)
        if first is None or self._origin is None or not self._restarts:
            return self._guarded(deinterlaced(chain([first] if first else [], decoded)))
        if not self._skip_to(start - MARGIN):
            return self._guarded(deinterlaced(chain([first], decoded)))
        self._codec.flush_buffers()
        self._awaits_packet, self._awaits_frame, self._last = True, False, None
        frames = self._guarded(deinterlaced(self._decoded()))
        at = next(frames, None)
        if at is not None and at.frame.interlaced_frame:
            at = next(frames, None)  # the one before was made whole without its neighbour
        return chain([at], frames) if at is not None and at.time <= start else self._again()

    def _guarded(self, frames: Iterator[Timed]) -> Iterator[Timed]:
        """The frames, up to one that cannot be made whole."""
        try:
            yield from frames
        except DECODE_ERRORS as error:
            self._note(f"frame {self._count} cannot be made whole: {reason_of(error)}")

    def _skip_to(self, seconds: float) -> bool:
        """Passes over packets up to the last key frame at or before a moment; says whether there was one to go to."""
        assert self._origin is not None
        latest = self._origin + int(seconds / self.container.tick)
        if self.container.leads_to(seconds):
            self._packets = self.container.packets()
            return self.container.seek(latest)
        held: list[av.Packet] = []
        found, size = False, 0
        for packet in self._packets:
            stamp = packet.dts if self.container.decodes_by_order or packet.pts is None else packet.pts
            if stamp is not None and packet.is_keyframe and stamp <= latest:
                held, found, size = [], True, 0
            held.append(packet)
            size += packet.size
            if packet.dts is None or packet.dts > latest or size > MAX_HELD:
                break
        self._packets = chain(held, self._packets)
        return found

    def _decoded(self) -> Iterator[Timed]:
        for packet in iter(lambda: next(self._packets, None), None):
            yield from self._timed(self._send(packet))
        yield from self._timed(self._drain())
        self._check_end()

    def _check_end(self) -> None:
        """Notes if the file ends before its header says."""
        promised = self.container.end
        if promised is None or self._origin is None or self._last is None or self._damage is not None:
            return
        end = self._origin * self.container.tick + self._last
        if promised - end > max(SHORT, 4 / self.container.rate):
            self._damage = f"the file ends after {end:.2f} s; its header says {promised:.2f} s"

    def _send(self, packet: av.Packet) -> list[av.VideoFrame]:
        if self._awaits_packet:
            if not packet.is_keyframe:
                self._lost += self._damage is not None
                return []
            self._awaits_packet, self._earliest = False, packet.pts
        if self.container.is_lost(packet):
            return self._break_off("a part of it is missing")
        try:
            return self._codec.decode(packet)
        except DECODE_ERRORS as error:
            return self._break_off(reason_of(error))

    def _break_off(self, reason: str) -> list[av.VideoFrame]:
        """Notes the damage, and gives the whole frames that were decoded before it."""
        self._note(f"frame {self._count} cannot be decoded: {reason}")
        frames = self._drain()
        self._codec.flush_buffers()
        self._awaits_packet = self._restarts
        return frames

    def _drain(self) -> list[av.VideoFrame]:
        try:
            return self._codec.decode(None)
        except DECODE_ERRORS as error:
            self._note(f"frame {self._count} cannot be decoded: {reason_of(error)}")
            return []

    def _note(self, damage: str) -> None:
        self._damage = self._damage or damage
        self._lost += 1

    def _timed(self, frames: list[av.VideoFrame]) -> Iterator[Timed]:
        for frame in frames:
            if self._is_whole(frame):
                time = self._time(frame)
                self._last = time
                self._count += 1
                yield Timed(time, frame, self._end(time, frame))

    def _is_whole(self, frame: av.VideoFrame) -> bool:
        if self._earliest is not None and frame.pts is not None and not self.container.decodes_by_order:
            if frame.pts < self._earliest:
                return False
        if frame.is_corrupt:
            self._note(f"frame {self._count} is damaged")
            self._awaits_frame = self._restarts
            return False
        self._awaits_frame = self._awaits_frame and not frame.key_frame
        self._lost += self._awaits_frame
        return not self._awaits_frame

    def _time(self, frame: av.VideoFrame) -> float:
        """Seconds after the first frame, never earlier than the frame before."""
        stamp = frame.dts if self.container.decodes_by_order or frame.pts is None else frame.pts
        if stamp is None:
            return 0.0 if self._last is None else self._last + 1 / self.container.rate
        if self._origin is None:
            self._origin = stamp
        time = (stamp - self._origin) * self.container.tick
        return time if self._last is None else max(time, self._last)

    def _end(self, time: float, frame: av.VideoFrame) -> float:
        """Until when a frame from `time` on is shown if none follows."""
        end = time + min(frame.duration * self.container.tick or 1 / self.container.rate, MAX_GAP)
        length = (self.container.stream.duration or 0) * self.container.tick  # reordered frames may have mixed up durations
        return min(end, length) if length > time else end
