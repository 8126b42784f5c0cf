"""`Recording`: all that a stream has made so far, and the files that it is saved as."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from ...data import write_video
from ...data.video import Mp4Writer
from ...sample import Stream, TokenWriter, VideoCodec, read_tokens
from ...sample.past import Past
from ...sample.token_file import TokenFileError
from ...sample.token_header import TokenHeader
from ..protocol.errors import ServeError

_DECODED_AT_ONCE = 4  # latent frames, which those of running streams wait for

Run = Callable[[Callable[[], Tensor | None]], Awaitable[Tensor | None]]
"""Does a piece of work where the networks may be used."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The tokens of a stream, from which its video can be made again.

    Attributes:
        codec: Decodes them.
        past: The tokens and what they were made of, those of given frames included; there may be none.
        header: What a token file of it says first.
        num_frames: Frames of the video.
    """

    codec: VideoCodec
    past: Past
    header: TokenHeader
    num_frames: int

    @classmethod
    def of(cls, stream: Stream) -> Self:
        """What a stream has made; to be called in the thread that steps it."""
        past = stream.past
        return cls(stream.codec, past, stream.header, stream.codec.stride.num_frames(len(past)))

    @property
    def seed(self) -> int:
        """The stream's seed; 0 of a video that was encoded."""
        return self.header.seed or 0

    @property
    def actions(self) -> Tensor | None:
        """float32 `[T, A]`, what was done between each frame and the one before; `None` of a model without actions."""
        if self.past.actions is None:
            return None
        return self.codec.stride.ungroup(self.past.actions)[: self.num_frames]

    def first(self, num_frames: int) -> Self:
        """The first frames of the video, at least one, and the latent frames that hold them."""
        num_frames = min(num_frames, self.num_frames)
        length = 1 + self.codec.stride.latent_index(num_frames - 1)
        return replace(self, past=self.past.first(length), num_frames=num_frames)

    async def write(self, path: Path, pieces: AsyncIterator[Tensor]) -> None:
        """Writes a file, whose suffix says what it is: `.fct` is a token file, others are videos.

        Args:
            path: The file. An mp4 takes constant memory; other videos are held whole.
            pieces: The frames in order, uint8 `[T, H, W, 3]` with any T, from the first one on; a token file needs none.
        """
        if path.suffix == ".fct":
            await asyncio.to_thread(self._write_tokens, path)
        elif path.suffix == ".mp4":
            with Mp4Writer(path, self.codec.height, self.codec.width, self.codec.fps) as writer:
                async for frames in pieces:
                    await asyncio.to_thread(writer.write, frames.numpy())
        else:
            frames = torch.cat([piece async for piece in pieces])
            await asyncio.to_thread(write_video, path, frames, self.codec.fps)

    async def decode(self, run: Run) -> AsyncIterator[Tensor]:
        """The frames again, uint8 `[T, H, W, 3]`, a few latent frames at once."""
        pieces, left = self.codec.decode_pieces(self.past.tokens, _DECODED_AT_ONCE), self.num_frames
        while (frames := await run(partial(next, pieces, None))) is not None:
            yield frames[:left]
            left -= len(frames)

    def _write_tokens(self, path: Path) -> None:
        with TokenWriter(path, self.header) as writer:
            writer.append_past(self.past)


def read_recording(data: bytes, codec: VideoCodec) -> Recording:
    """What a token file holds.

    Raises:
        ServeError: The bytes are no token file, or one of another tokenizer.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.fct"
        path.write_bytes(data)
        try:
            video = read_tokens(path).check(codec.header())
        except TokenFileError as error:
            raise ServeError("bad_message", str(error).replace(str(path), "the token file")) from error
    return Recording(codec, video.past, video.header, video.num_frames)
