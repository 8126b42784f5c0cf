"""`GivenFrames`: what a video is to begin with, read from files that strangers send."""

import asyncio

import torch
from torch import Tensor

from ...data.images import decode_image
from ...data.pictures import decode_picture
from ...sample import VideoCodec
from ..protocol.errors import ServeError
from .config import ServeConfig


class GivenFrames:
    """Reads pictures in a thread, and large ones one at a time, so that nobody waits for a picture but its sender.

    Args:
        codec: Whose frames they are to be.
        config: The limits.
    """

    def __init__(self, codec: VideoCodec, config: ServeConfig):
        self._codec, self._most = codec, config.max_first_frames
        self._size = (codec.height, codec.width)
        self._one_at_a_time = asyncio.Semaphore()  # a large one takes a second and 300 MB

    async def read(self, files: list[bytes], picture: bytes | None) -> Tensor | None:
        """uint8 `[T, H, W, 3]`; `None` if there are none.

        Args:
            files: The frames, which have the size of the video.
            picture: A picture of any size, the only frame.

        Raises:
            ServeError: A file is no picture or too large, the frames are not 1 + 4k, or there are both.
        """
        if picture is None:
            return await asyncio.to_thread(self._frames, files) if files else None
        if files:
            raise ServeError("bad_frames", "got first_frames and a picture; wanted one of them: both say how the video begins")
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._frame, picture)

    def _frame(self, picture: bytes) -> Tensor:
        try:
            return torch.from_numpy(decode_picture(picture, self._size))[None]
        except ValueError as error:
            raise ServeError("bad_frames", str(error)) from error

    def _frames(self, files: list[bytes]) -> Tensor:
        if len(files) > self._most:
            raise ServeError("bad_frames", f"got {len(files)} first frames; wanted at most {self._most}")
        try:
            self._codec.stride.num_latent_frames(len(files))
            return torch.stack([torch.from_numpy(decode_image(file, self._size).copy()) for file in files])
        except ValueError as error:
            raise ServeError("bad_frames", str(error)) from error
