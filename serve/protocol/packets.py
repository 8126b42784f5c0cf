"""`Packet`: a frame or a snapshot as a binary message."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from .errors import ServeError
from .messages import VERSION

MAGIC = b"FC"
_HEADER = struct.Struct("<2sBBIIQ")


class Kind(IntEnum):
    """What a binary message holds."""

    PNG = 1
    WEBP = 2
    JPEG = 3
    H264 = 4
    SNAPSHOT = 5


@dataclass(frozen=True)
class Packet:
    """A binary message: 20 bytes, little endian, and the payload.

    The bytes: "FC", the version, the kind, the frame's index (4), its latent index (4), the time it is shown in microseconds
    after the first frame (8).
    """

    kind: Kind
    index: int
    latent_index: int
    timestamp: int
    payload: bytes

    def pack(self) -> bytes:
        """The message."""
        header = _HEADER.pack(MAGIC, VERSION, self.kind, self.index, self.latent_index, self.timestamp)
        return header + self.payload

    @classmethod
    def unpack(cls, data: bytes) -> "Packet":
        """The inverse of `pack`.

        Raises:
            ServeError: The bytes are none.
        """
        if len(data) < _HEADER.size or data[:2] != MAGIC or data[2] != VERSION or data[3] not in list(Kind):
            raise ServeError("bad_message", f"got {len(data)} bytes that are no frame of version {VERSION} of the protocol")
        _, _, kind, index, latent_index, timestamp = _HEADER.unpack_from(data)
        return cls(Kind(kind), index, latent_index, timestamp, data[_HEADER.size :])
