"""`Futures`: how one moment of a stream may go on, in several ways."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...sample import Stream
from ...sample.rewind import rewound
from ..engine.engine import Engine
from ..protocol.errors import ServeError, as_serve_error
from .live import LiveStream

MOST_REWOUND = 721
"""Frames that are made again for a moment that has passed; the engine makes them between the frames of others."""


@dataclass(frozen=True, eq=False)
class Futures:
    """What is wanted of the branches of a stream.

    Attributes:
        seeds: The seed of each.
        prompts: The prompt of each; `None` keeps the prompt of the moment.
        frame: The moment, as a frame that was sent; `None` is the next one.
        actions: float32 `[T, A]`, what is done in each from its next latent frame on; `None` is what is done in the stream.

    Raises:
        ServeError: There are not as many prompts as seeds.
    """

    seeds: Sequence[int]
    prompts: Sequence[str | None]
    frame: int | None = None
    actions: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if len(self.prompts) != len(self.seeds):
            raise ServeError("bad_message", f"got {len(self.prompts)} prompts for {len(self.seeds)} seeds; wanted one for each")

    async def of(self, live: LiveStream, engine: Engine) -> list[Stream]:
        """The branches of a stream, which goes on as it was.

        Raises:
            ServeError: The moment is still to come or long past, or a prompt cannot be followed.
        """
        streams = await live.branch(list(self.seeds)) if self.frame is None else await self._rewound(live, engine, self.frame)
        try:
            await engine.run(lambda: self._steer(streams))
        except ValueError as error:
            raise as_serve_error(error, "bad_prompt") from error
        return streams

    def _steer(self, streams: list[Stream]) -> None:
        for stream, prompt in zip(streams, self.prompts, strict=True):
            if prompt is not None:
                stream.set_prompt(prompt)
            if self.actions is not None:
                stream.plan(self.actions)

    async def _rewound(self, live: LiveStream, engine: Engine, frame: int) -> list[Stream]:
        """Branches of a moment that has passed, whose state is made again piece by piece."""
        latest = min(live.next_index, MOST_REWOUND)
        if frame > latest:
            raise ServeError(
                "bad_message", f"got frame {frame} to branch from; wanted one from 1 to {latest}; leave it out for now"
            )
        stream = live.channel.stream
        try:
            pieces = await engine.run(lambda: rewound(stream, stream.codec.stride.latent_index(frame)))
            while (moment := await engine.run(lambda: next(pieces))) is None:
                pass
        except ValueError as error:
            raise as_serve_error(error, "bad_message") from error
        return await engine.run(lambda: moment.branch(self.seeds))
