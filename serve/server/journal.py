"""`Journal`: what is played on a server, kept as the episodes of a recording that trainings read."""

import asyncio
import logging
from pathlib import Path

import torch
from torch import Tensor

from ...data.worlds import RecordingWriter
from ...sample import VideoGenerator
from .recording import Recording, Run

log = logging.getLogger("framecast.serve")

_MOST_FRAMES = 3000  # of an episode; a longer game becomes several
_SHORTEST = 2  # frames; an action lies between two


class Journal:
    """Writes streams into a recording, one at a time, while others are played.

    Args:
        writer: Where episodes go.
    """

    def __init__(self, writer: RecordingWriter):
        self._writer, self._one_at_a_time = writer, asyncio.Semaphore()

    async def add(self, recording: Recording, start: int, run: Run) -> None:
        """Adds the frames of a stream from one on; if that fails, the log says why.

        Args:
            recording: The stream.
            start: The first frame that is wanted; those before were kept before, or are those of another stream.
            run: Decodes between the latent frames of streams that are played.
        """
        if recording.actions is None or recording.num_frames - start < _SHORTEST:
            return
        async with self._one_at_a_time:
            try:
                await self._write(recording, start, run)
            except (ValueError, OSError) as error:
                log.warning("a game of seed %s is not kept: %s", recording.seed, error)

    async def _write(self, recording: Recording, start: int, run: Run) -> None:
        actions, waiting, first = recording.actions, list[Tensor](), start
        assert actions is not None
        done = 0
        async for piece in recording.decode(run):
            waiting.append(piece[max(start - done, 0) :])
            done += len(piece)
            if sum(map(len, waiting)) >= _MOST_FRAMES:
                await self._put(recording, waiting, actions[first:done], first)
                waiting, first = [], done
        if done - first >= _SHORTEST:
            await self._put(recording, waiting, actions[first:done], first)

    async def _put(self, recording: Recording, pieces: list[Tensor], actions: Tensor, first: int) -> None:
        latent = recording.codec.stride.latent_index(first)
        caption = [text for begin, text in recording.past.prompts if begin <= latent][-1]
        frames = torch.cat(pieces).numpy()
        await asyncio.to_thread(self._writer.add, frames, actions.numpy(), seed=recording.seed, caption=caption)


def open_journal(folder: str | Path, generator: VideoGenerator) -> Journal:
    """The journal of a world in a folder, a new one or one that was begun with the same world.

    Raises:
        ValueError: The model takes no actions, or the folder holds something else.
    """
    if generator.action_space is None:
        raise ValueError(f"got {folder} to record {generator.name} in, a model without actions; wanted a world")
    about = {"played_in": generator.name, "hashes": generator.hashes}
    return Journal(RecordingWriter(folder, generator.action_space, generator.fps, about=about))
