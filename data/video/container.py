"""An open video file: which stream, at which rate, and its packets in order with time stamps that go on."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import av
from av.format import Flags
from av.stream import Disposition

from .continuity import Continuity
from .errors import DECODE_ERRORS, VideoError, advice_for, check_file, reason_of

READER_VERSION = 2  # to be raised if the same file gives other frames than before
DECODED_BY = f"{READER_VERSION}, ffmpeg {av.ffmpeg_version_info}"
DEFAULT_RATE = 25
MAX_GAP = 600.0  # seconds one frame may stand; a longer jump of the time stamps is damage
MAX_BROADCAST_GAP = 10.0  # seconds; in transport and program streams a longer one is a join of two recordings
PROBED_PACKETS = 500  # of all streams, to tell a still from a video
COUNTED_PACKETS = 50_000  # to measure a rate; half an hour
NEAR = 4  # packets before and after a join that may look damaged
FAILED_READS = 16  # in a row, after which the rest of a file is given up
NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
SURE_OF_LENGTH = ("mov", "matroska", "avi", "flv", "asf", "mxf")  # containers whose header was written after the last frame
INDEXED = ("mov", "matroska")  # containers whose index leads exactly to a key frame


class Container:
    """An open video file; close it after use.

    Args:
        path: Any regular file.

    Raises:
        VideoError: If it cannot be opened or has no video.
    """

    def __init__(self, path: Path):
        check_file(path)
        self.path = path
        self.damage: str | None = None
        """What was first found wrong between packets."""
        self._file, self._container = _open(path)
        try:
            self.stream = self._best_stream()
        except BaseException:
            self.close()
            raise
        self.rate = nominal_rate(self.stream, self._has_stamps)
        self.tick = float(self.stream.time_base or 1 / self.rate)  # seconds
        self._max_gap = (MAX_BROADCAST_GAP if self._is_broadcast else MAX_GAP) / self.tick
        self._continuity = Continuity(self._max_gap)
        self._ahead: deque[av.Packet] = deque()
        self._stamps: deque[int | None] = deque(maxlen=NEAR + 1)  # as they are in the file

    def close(self) -> None:
        self._container.close()
        if self._file is not None:
            self._file.close()

    @property
    def decodes_by_order(self) -> bool:
        """Whether packets say when they are decoded but not when they are shown."""
        return self._container.format.name == "avi"

    def leads_to(self, seconds: float) -> bool:
        """Whether `seek` leads exactly to a key frame before a moment: by an index, in a time line without jumps."""
        if not self._container.format.name.startswith(INDEXED) or seconds > (self.duration or 0):
            return False
        stamps = [entry.timestamp for entry in self.stream.index_entries] if (self.duration or 0) > MAX_GAP else []
        return all(after - before <= MAX_GAP / self.tick for before, after in pairwise(stamps))

    @property
    def end(self) -> float | None:
        """Seconds at which the last frame ends, counted as time stamps are, if the header is sure of it."""
        start, name = (self.stream.start_time or 0) * self.tick, self._container.format.name
        if not name.startswith(SURE_OF_LENGTH):
            return None
        if self.stream.duration:
            return start + self.stream.duration * self.tick
        alone = len(self._container.streams) == 1 and self._container.duration
        return self._container.duration / av.time_base if alone else _seconds(self.stream.metadata.get("DURATION", ""))

    def is_lost(self, packet: av.Packet) -> bool:
        """Whether a part of the packet just taken is missing. Where recordings are joined, a part only seems to be missing."""
        if not packet.is_corrupt:
            return False
        near = [stamp for stamp in (*self._stamps, *(packet.dts for packet in self._ahead)) if stamp is not None]
        return all(0 <= after - before <= self._max_gap for before, after in pairwise(near))

    @property
    def duration(self) -> float | None:
        """Seconds by the header, if it says so."""
        if self.stream.duration:
            return self.stream.duration * self.tick
        return self._container.duration / av.time_base if self._container.duration else None

    def seek(self, stamp: int) -> bool:
        """Goes to the last key frame whose stamp is not after `stamp`; says whether that worked."""
        try:
            self._container.seek(stamp, stream=self.stream)
        except DECODE_ERRORS:
            return False
        self._continuity = Continuity(self._max_gap)
        return True

    def packets(self) -> Iterator[av.Packet]:
        """The packets of the stream from where the file stands; their time stamps never start again."""
        self._ahead, self._stamps = deque(), deque(maxlen=NEAR + 1)
        for packet in self._demuxed():
            self._ahead.append(packet)
            if len(self._ahead) > NEAR:
                yield self._next()
        while self._ahead:
            yield self._next()

    def _next(self) -> av.Packet:
        packet = self._ahead.popleft()
        self._stamps.append(packet.dts)
        return self._moved(packet, self._ahead[0].dts if self._ahead else None)

    def mean_rate(self) -> float:
        """Frames per second over the whole file, which is read for that if the header does not settle the rate.

        This must be called before any packet is taken. The file is left at its end or in its middle.
        """
        header = self._header_rate()
        if header is not None:
            return header
        stamps, durations = [], []
        for packet in islice(self.packets(), COUNTED_PACKETS):
            stamp = packet.dts if self.decodes_by_order or packet.pts is None else packet.pts
            if stamp is not None and not packet.is_discard:
                stamps.append(stamp)
                durations.append(packet.duration or 0)
        if len(stamps) < 2 or max(stamps) == min(stamps):
            return self.rate
        last = durations[-1] or (max(stamps) - min(stamps)) / (len(stamps) - 1)
        return _nearest(guessed_rate(self.stream) or self.rate, len(stamps) / ((max(stamps) - min(stamps) + last) * self.tick))

    def _header_rate(self) -> float | None:
        """The rate, if all that the header says agrees; otherwise None, and the packets have to be counted."""
        stream = self.stream
        if not self._has_stamps:
            return self.rate
        if not (
            self._container.format.name.startswith(INDEXED) and stream.frames > 1 and stream.duration and stream.average_rate
        ):
            return None
        average, counted = float(stream.average_rate), stream.frames / (stream.duration * self.tick)
        agreed = abs(average / self.rate - 1) < 0.03 and abs(counted / self.rate - 1) < 0.03
        return self.rate if agreed else None

    @property
    def _has_stamps(self) -> bool:
        """Whether the container keeps time stamps; raw streams do not."""
        stream, flags = self.stream, Flags(self._container.format.flags)
        return not (Flags.no_timestamps in flags or (Flags.generic_index in flags and stream.start_time is None))

    @property
    def _is_broadcast(self) -> bool:
        """Whether joins are usual in such containers: transport and program streams."""
        return Flags.ts_discont in Flags(self._container.format.flags)

    def _best_stream(self) -> av.VideoStream:
        """The video, as players choose it: no cover, no still beside a video, the default one, the largest one."""
        streams = [stream for stream in self._container.streams.video if not Disposition(stream.disposition) & NO_VIDEO]
        if not streams:
            cover = "a cover picture" if self._container.streams.video else None
            kinds = sorted({stream.type for stream in self._container.streams if stream.type != "video"})
            found = ", ".join([*kinds, cover] if cover else kinds) or "nothing"
            raise VideoError(f"{self.path} has no video stream, only {found}; give a file with pictures")
        streams = [stream for stream in streams if stream.codec_context is not None]
        if not streams:
            raise VideoError(f"{self.path} has a video stream of a kind that is unknown here; {advice_for(self.path)}")
        if len(streams) == 1:
            return streams[0]
        counts = self._counted_packets()

        def rank(stream: av.VideoStream) -> tuple[bool, bool, int, int]:
            default = bool(Disposition(stream.disposition) & Disposition.default)
            return (
                counts[stream.index] > 1 or stream.frames > 1,
                default,
                stream.codec_context.width * stream.codec_context.height,
                -stream.index,
            )

        best = max(streams, key=rank).index
        self.close()
        self._file, self._container = _open(self.path)
        return self._container.streams[best]

    def _counted_packets(self) -> Counter[int]:
        """How many packets each stream has near the start of the file."""
        try:
            return Counter(packet.stream_index for packet in islice(self._container.demux(), PROBED_PACKETS) if packet.size)
        except DECODE_ERRORS:
            return Counter()

    def _demuxed(self) -> Iterator[av.Packet]:
        failed = 0
        while failed < FAILED_READS:
            try:
                for packet in self._container.demux(self.stream):
                    failed = 0
                    if packet.size and not self._is_header(packet):
                        yield packet
                return
            except DECODE_ERRORS as error:
                failed += 1
                self.damage = self.damage or f"the file cannot be read on: {reason_of(error)}"

    def _is_header(self, packet: av.Packet) -> bool:
        """Whether a packet only begins the next one of several joined Ogg files."""
        return self.stream.codec_context.name == "theora" and bool(bytes(packet)[0] & 0x80)

    def _moved(self, packet: av.Packet, following: int | None) -> av.Packet:
        shown = None if self.decodes_by_order else packet.pts
        shift = self._continuity.shift(packet.dts, shown, following, packet.duration or 0)
        if self._continuity.jump is not None and not self._is_broadcast and not self.damage:
            at, ahead = (ticks * self.tick for ticks in self._continuity.jump)
            self.damage = f"the time stamps jump by {ahead:.0f} s after {at:.2f} s, and are read as if they went on"
        if shift:
            packet.dts = packet.dts + shift if packet.dts is not None else None
            packet.pts = packet.pts + shift if packet.pts is not None else None
        return packet


def nominal_rate(stream: av.VideoStream, has_stamps: bool = True) -> float:
    """Frames per second by the header; the rate ffmpeg guesses if that is as good as the same."""
    guess = guessed_rate(stream)
    mean = float(stream.average_rate or 0) if has_stamps else 0.0
    return _nearest(guess or DEFAULT_RATE, mean or guess or DEFAULT_RATE)


def _seconds(text: str) -> float | None:
    """Seconds of "00:00:04.000000000"."""
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None


def guessed_rate(stream: av.VideoStream) -> float:
    """Frames per second as ffmpeg guesses; 0 if it does not."""
    return float(stream.guessed_rate or stream.codec_context.framerate or 0)


def _nearest(guess: float, mean: float) -> float:
    return guess if abs(guess / mean - 1) < 0.03 else mean


def _open(path: Path):
    """The open container, and the file within if it had to be opened by us: ffmpeg reads odd names as something else."""
    file = None
    options = {"protocol_whitelist": "file"}  # a playlist must not reach into the network
    try:
        if str(path).isprintable() and not set("%?*[]{}") & set(path.name):
            return None, av.open(f"file:{path}", metadata_errors="replace", options=options)
        file = os.fdopen(os.open(path, os.O_RDONLY), "rb")  # ffmpeg would read the name of an ordinary file as a pattern
        return file, av.open(file, metadata_errors="replace")
    except (*DECODE_ERRORS, OSError) as error:
        if file is not None:
            file.close()
        raise VideoError(f"{path} cannot be opened as a video ({reason_of(error)}); {advice_for(path)}") from error
