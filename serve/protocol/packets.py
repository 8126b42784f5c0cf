"""`Packet`: a frame or a snapshot as a binary message."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from .errors import ServeError
from .messages import VERSION

MAGIC = b"FC"
_HEADER, _CONTROL = struct.Struct("<2sBBIIQ"), struct.Struct("<Qd")
_WITH_CONTROL = 0x80  # added to the kind of a frame that follows a control


class Kind(IntEnum):
    """What a binary message holds."""

    PNG = 1
    WEBP = 2
    JPEG = 3
    H264 = 4
    SNAPSHOT = 5


@dataclass(frozen=True)
class Echo:
    """The control that a frame follows, as its client told it.

    Attributes:
        id: Which control it is.
        clock: When it was sent, by the client's own clock.
    """

    id: int
    clock: float


@dataclass(frozen=True)
class Packet:
    """A binary message: 20 bytes, little endian, and the payload.

    The bytes: "FC", the version, the kind, the frame's index (4), its latent index (4), the time it is shown in microseconds
    after the first frame (8). If the client has sent a control that holds for the frame, the kind is 128 more, and 16 bytes
    follow before the payload: the control's id (8) and its clock, a float (8).
    """

    kind: Kind
    index: int
    latent_index: int
    timestamp: int
    payload: bytes
    control: Echo | None = None

    def pack(self) -> bytes:
        """The message."""
        flag, echo = (0, b"") if self.control is None else (_WITH_CONTROL, _CONTROL.pack(self.control.id, self.control.clock))
        header = _HEADER.pack(MAGIC, VERSION, self.kind | flag, self.index, self.latent_index, self.timestamp)
        return header + echo + self.payload

    @classmethod
    def unpack(cls, data: bytes) -> "Packet":
        """The inverse of `pack`.

        Raises:
            ServeError: The bytes are none.
        """
        echoes = len(data) >= _HEADER.size and bool(data[3] & _WITH_CONTROL)
        start = _HEADER.size + (_CONTROL.size if echoes else 0)
        if len(data) < start or data[:2] != MAGIC or data[2] != VERSION or data[3] & ~_WITH_CONTROL not in list(Kind):
            raise ServeError("bad_message", f"got {len(data)} bytes that are no frame of version {VERSION} of the protocol")
        _, _, kind, index, latent_index, timestamp = _HEADER.unpack_from(data)
        echo = Echo(*_CONTROL.unpack_from(data, _HEADER.size)) if echoes else None
        return cls(Kind(kind & ~_WITH_CONTROL), index, latent_index, timestamp, data[start:], echo)
