"""How frames become bytes: one picture each, or pieces of one mp4."""

import asyncio
import io

from ...data.images import encode_image
from ...data.video import Mp4Stream
from ...sample import Frame
from ..engine.controls import Receipt
from ..protocol.packets import Echo, Kind, Packet

_KINDS = {"png": Kind.PNG, "webp": Kind.WEBP, "jpeg": Kind.JPEG, "h264": Kind.H264}


class PictureEncoder:
    """Every frame is a file of its own: "png" or "webp", both lossless, or "jpeg"."""

    def __init__(self, format: str):
        self.kind, self._format = _KINDS[format], format

    async def encode(self, frame: Frame) -> bytes:
        """The bytes of the next frame."""
        return await asyncio.to_thread(encode_image, frame.image, self._format)

    async def finish(self) -> bytes:
        """Nothing."""
        return b""


class Mp4Encoder:
    """All frames are one fragmented mp4 (H.264): pieces one after the other are a file, which a MediaSource plays too.

    How long a frame is shown is known when the next one comes, so every piece holds the frame before.
    """

    kind = Kind.H264

    def __init__(self, height: int, width: int, fps: float):
        self._pipe = _Pipe()
        self._mp4 = Mp4Stream(self._pipe, height, width, fps)

    async def encode(self, frame: Frame) -> bytes:
        """The piece with the frame before; at first, the head of the file."""
        await asyncio.to_thread(self._mp4.write, frame.image.numpy())
        return self._pipe.take()

    async def finish(self) -> bytes:
        """The last frame, and the end of the file."""
        await asyncio.to_thread(self._mp4.close)
        return self._pipe.take()


class _Pipe(io.BytesIO):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def write(self, data) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def packet_of(frame: Frame, kind: Kind, data: bytes, fps: float, held: Receipt | None) -> Packet:
    """The bytes of a frame on their way, with the control that holds for it if there is one."""
    echo = None if held is None else Echo(held.id, held.clock)
    return Packet(kind, frame.index, frame.latent_index, round(frame.index / fps * 1e6), data, echo)


def make_encoder(format: str, height: int, width: int, fps: float) -> PictureEncoder | Mp4Encoder:
    """The encoder of a format of the protocol."""
    return Mp4Encoder(height, width, fps) if format == "h264" else PictureEncoder(format)
