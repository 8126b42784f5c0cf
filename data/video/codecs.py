"""What other video codecs make of a clip, in memory: how many bits, and which frames come back."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from .errors import VideoError

_MARK = b"\x00\x00\x01"  # begins a unit of H.264 and H.265


@dataclass(frozen=True)
class Codec:
    """A codec with an encoder at its slow settings, as those who publish figures use it.

    Attributes:
        name: As people call it.
        encoder: As ffmpeg calls it.
        decoder: As ffmpeg calls it.
        qualities: Its constant rate factors, from the best picture to the worst.
        remarks: Kinds of units that no decoder needs, such as the encoder's name and settings; they do not count.
        kind_at: Bits of a unit's first byte before its kind, and its mask.
        options: Of the encoder.
    """

    name: str
    encoder: str
    decoder: str
    qualities: tuple[int, ...]
    remarks: tuple[int, ...] = ()
    kind_at: tuple[int, int] = (0, 0)
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether the installed PyAV has it."""
        return {self.encoder, self.decoder} <= set(av.codecs_available)


_QUIET = {"x265-params": "log-level=none"}
_STEPS = (22, 26, 30, 34, 38, 42, 46, 51)
CODECS = (
    Codec("x264", "libx264", "h264", _STEPS, (6,), (0, 31), {"preset": "veryslow", "tune": "psnr"}),
    Codec(
        "x265", "libx265", "hevc", _STEPS, (39, 40), (1, 63), {"preset": "slow", "tune": "psnr", "x265-params": "log-level=none"}
    ),
    Codec("AV1", "libsvtav1", "libdav1d", (24, 30, 36, 42, 48, 54, 59, 63), options={"preset": "4", "svtav1-params": "tune=1"}),
)
"""Whom to stand beside: H.264, H.265 and AV1 by the encoders that are used most."""


@dataclass(frozen=True, eq=False)
class Compressed:
    """A clip through a codec and back.

    Attributes:
        num_bits: Of its packets, without a container.
        frames: uint8 `[T, H, W, 3]`, what comes back.
    """

    num_bits: int
    frames: np.ndarray


def compress(frames: np.ndarray, fps: float, codec: Codec, quality: int) -> Compressed:
    """Encodes a clip and decodes it again, on one thread, with one key frame and colours at half size (4:2:0).

    Args:
        frames: uint8 `[T, H, W, 3]`, H and W even.
        fps: Frames per second.
        codec: One that is there.
        quality: Constant rate factor, such as one of `codec.qualities`.

    Raises:
        VideoError: The codec does not take such frames, such as those of odd sides.
    """
    os.environ.setdefault("SVT_LOG", "1")  # errors alone: this encoder writes to the terminal by itself
    try:
        packets = list(_encoded(frames, fps, codec, quality))
        made = list(_decoded(packets, codec))
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"{codec.name} does not take frames of {frames.shape[1]}x{frames.shape[2]}: {error}") from error
    if len(made) != len(frames):
        raise VideoError(f"{codec.name} gave {len(made)} of {len(frames)} frames of {frames.shape[1]}x{frames.shape[2]} back")
    return Compressed(8 * sum(_needed(bytes(packet), codec) for packet in packets), np.stack(made))


def _encoded(frames: np.ndarray, fps: float, codec: Codec, quality: int) -> Iterator[av.Packet]:
    rate = Fraction(float(fps)).limit_denominator(1001)
    encoder = av.CodecContext.create(codec.encoder, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    (encoder.height, encoder.width), encoder.pix_fmt = frames.shape[1:3], "yuv420p"
    encoder.framerate, encoder.time_base, encoder.thread_count = rate, 1 / rate, 1
    encoder.gop_size, encoder.options = len(frames), {**codec.options, "crf": str(quality)}
    for index, picture in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = index, encoder.time_base
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _decoded(packets: list[av.Packet], codec: Codec) -> Iterator[np.ndarray]:
    decoder = av.CodecContext.create(codec.decoder, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    for packet in (*packets, None):
        for frame in decoder.decode(packet):
            yield frame.to_ndarray(format="rgb24")


def _needed(packet: bytes, codec: Codec) -> int:
    """Bytes of a packet without its remarks."""
    if not codec.remarks:
        return len(packet)
    head, *units = packet.split(_MARK)
    shift, mask = codec.kind_at
    kept = [unit for unit in units if unit and (unit[0] >> shift) & mask not in codec.remarks]
    return len(head) + sum(len(_MARK) + len(unit) for unit in kept)
