"""Animated PNG and WebP files put together from single pictures, each frame for its own time, also if nothing moves."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEEP, _REPLACE = 0, 0  # APNG: what a frame leaves behind, and how it meets what is there
_MOST = 0xFFFF  # of a fraction in an APNG


def join_png(frames: np.ndarray, durations: Sequence[int]) -> bytes:
    """An animated PNG without loss.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        durations: Milliseconds of each frame.
    """
    height, width = frames.shape[1:3]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    parts = [_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    number = 0
    for index, (frame, duration) in enumerate(zip(frames, durations, strict=True)):
        top, left, bottom, right = (0, 0, height, width) if index == 0 else _changed(frames[index - 1], frame)
        time = (duration, 1000) if duration <= _MOST else (min(round(duration / 1000), _MOST), 1)
        place = (number, right - left, bottom - top, left, top)
        parts.append(_chunk(b"fcTL", struct.pack(">IIIIIHHBB", *place, *time, _KEEP, _REPLACE)))
        pixels = _png_data(frame[top:bottom, left:right])
        parts.append(_chunk(b"IDAT", pixels) if index == 0 else _chunk(b"fdAT", struct.pack(">I", number + 1) + pixels))
        number += 1 if index == 0 else 2
    return b"".join([*parts, _chunk(b"IEND", b"")])


def hold_webp(picture: bytes, size: tuple[int, int], durations: Sequence[int], loops: int) -> bytes:
    """An animated WebP that shows one picture for the time of all frames, in a frame for each.

    Args:
        picture: A still WebP file without loss.
        size: Its rows and columns.
        durations: Milliseconds of each frame.
        loops: How often it plays; 0 is for ever.
    """
    corner = _size24(size[1] - 1) + _size24(size[0] - 1)
    still = b"".join(_riff(kind, data) for kind, data in _riff_chunks(picture) if kind in (b"VP8L", b"VP8 "))
    frame = [_riff(b"ANMF", bytes(6) + corner + _size24(duration) + b"\x02" + still) for duration in durations]
    animation = _riff(b"VP8X", b"\x02\0\0\0" + corner) + _riff(b"ANIM", bytes(4) + struct.pack("<H", loops))
    return _riff(b"RIFF", b"WEBP" + animation + b"".join(frame))


def _changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what differs; one pixel if nothing does."""
    differs = (before != after).any(axis=-1)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _png_data(picture: np.ndarray) -> bytes:
    """The compressed pixels of a picture, as in a PNG of its own."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, format="PNG")
    return b"".join(data for kind, data in _png_chunks(buffer.getvalue()) if kind == b"IDAT")


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at < len(content):
        (length,) = struct.unpack("<I", content[at + 4 : at + 8])
        yield content[at : at + 4], content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _size24(value: int) -> bytes:
    return struct.pack("<I", min(value, 0xFFFFFF))[:3]
