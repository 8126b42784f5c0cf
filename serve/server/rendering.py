"""A finished video: its stream is made as fast as it can be, then written to a file."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import torch
from torch import Tensor

from ..protocol.errors import ServeError
from ..protocol.script import Script
from .recording import Recording
from .service import Service


def check_length(service: Service, num_frames: int) -> None:
    """Whether a video of so many frames can be asked for.

    Raises:
        ServeError: It is no legal length, or too long.
    """
    try:
        service.generator.codec.stride.num_latent_frames(num_frames)
    except ValueError as error:
        raise ServeError("bad_message", str(error)) from error
    most = service.config.max_video_frames
    if num_frames > most:
        raise ServeError("bad_message", f"got num_frames {num_frames}; wanted at most {most}; stream longer videos")


async def render(
    service: Service,
    script: Script,
    num_frames: int,
    path: Path,
    after_frame: Callable[[int], Awaitable[None]],
    picture: bytes | None = None,
) -> None:
    """Makes a video and writes it.

    Args:
        service: Makes it.
        script: What it shows.
        num_frames: Its length.
        path: The file; its suffix says what it is.
        after_frame: Is told the index of each frame that was made; what it raises ends the work within a latent frame.
        picture: A file of any size to go on from.

    Raises:
        ServeError: The length is not legal, or `Service.start` refuses.
    """
    check_length(service, num_frames)
    live = await service.start(script, num_frames, picture=picture)
    try:
        images: list[Tensor] = []
        async for frame in live.play(None):
            images.append(frame.image)
            await after_frame(frame.index)
        recording = Recording.of(live.channel.stream)
        whole = len(images) == recording.num_frames  # a picture that was given is not among those that were made
        await recording.write(path, _stacked(images) if whole else recording.decode(service.engine.run))
    finally:
        await live.close()


async def _stacked(images: list[Tensor]) -> AsyncIterator[Tensor]:
    yield await asyncio.to_thread(torch.stack, images)
