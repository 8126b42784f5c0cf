"""`Recording`: all that a stream has made so far, and the files that it is saved as."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from ...data import to_frames, write_video
from ...data.video import Mp4Writer
from ...sample import SamplingParams, Stream, TokenWriter, VideoGenerator

_DECODED_AT_ONCE = 4  # latent frames, which those of running streams wait for

Run = Callable[[Callable[[], Tensor]], Awaitable[Tensor]]
"""Does a piece of work where the networks may be used."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The tokens of a stream, from which its video can be made again.

    Attributes:
        generator: Made them.
        tokens: int64 `[T, H, W]`, those of given frames included; T may be 0.
        prompts: The prompts with the latent frames from which they hold.
        seed: The stream's seed.
        params: How the tokens were chosen.
        num_frames: Frames of the video.
    """

    generator: VideoGenerator
    tokens: Tensor
    prompts: tuple[tuple[int, str], ...]
    seed: int
    params: SamplingParams
    num_frames: int

    @classmethod
    def of(cls, stream: Stream) -> Self:
        """What a stream has made; to be called in the thread that steps it."""
        tokens, state = stream.log.tokens(), stream.own_state
        num_frames = stream.generator.tokenizer.num_frames(len(tokens)) if len(tokens) else 0
        return cls(stream.generator, tokens, stream.prompts, state.seed, state.params, num_frames)

    def first(self, num_frames: int) -> Self:
        """The first frames of the video, at least one, and the latent frames that hold them."""
        num_frames = min(num_frames, self.num_frames)
        length = 1 + -(-(num_frames - 1) // self.generator.tokenizer.temporal_stride)
        prompts = tuple((start, text) for start, text in self.prompts if start < length)
        return replace(self, tokens=self.tokens[:length], prompts=prompts, num_frames=num_frames)

    async def write(self, path: Path, pieces: AsyncIterator[Tensor]) -> None:
        """Writes a file, whose suffix says what it is: `.fct` is a token file, others are videos.

        Args:
            path: The file. An mp4 takes constant memory; other videos are held whole.
            pieces: The frames in order, uint8 `[T, H, W, 3]` with any T, from the first one on; a token file needs none.
        """
        if path.suffix == ".fct":
            await asyncio.to_thread(self._write_tokens, path)
        elif path.suffix == ".mp4":
            await self._write_mp4(path, pieces)
        else:
            frames = torch.cat([piece async for piece in pieces])
            await asyncio.to_thread(write_video, path, frames, self.generator.fps)

    def _write_tokens(self, path: Path) -> None:
        starts = [start for start, _ in self.prompts]
        with TokenWriter(path, self.generator.token_header(self.seed, self.params)) as writer:
            for (start, text), end in zip(self.prompts, [*starts[1:], len(self.tokens)], strict=True):
                writer.append(self.tokens[start:end], text)

    async def _write_mp4(self, path: Path, pieces: AsyncIterator[Tensor]) -> None:
        left = self.num_frames
        with Mp4Writer(path, self.generator.height, self.generator.width, self.generator.fps) as writer:
            async for frames in pieces:
                await asyncio.to_thread(writer.write, frames[:left].numpy())
                left -= len(frames)

    async def decode(self, run: Run) -> AsyncIterator[Tensor]:
        """The frames again, uint8 `[T, H, W, 3]`, a few latent frames at once."""
        tokenizer, device = self.generator.tokenizer, self.generator.device
        state = tokenizer.init_decoder_state(1, *self.tokens.shape[1:])

        @torch.inference_mode()
        def decode(tokens: Tensor) -> Tensor:
            videos = [tokenizer.decode(latent[None].to(device), state) for latent in tokens.split(1)]
            return torch.cat([to_frames(video)[0] for video in videos]).cpu()

        for tokens in self.tokens.split(_DECODED_AT_ONCE):
            yield await run(partial(decode, tokens))
