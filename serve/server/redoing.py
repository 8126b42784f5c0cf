"""Frames that are made again after a failure, under what was held in them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...sample import Stream
from ..protocol.messages import MOST_PLANNED, HeldSince
from .actions import action_of


def redone(stream: Stream, start: int, held: Sequence[HeldSince]) -> Stream:
    """Plans for a stream what was held in the frames before `start` that it is to make again; what holds after them follows.

    Args:
        stream: As its snapshot has it.
        start: The first frame that its reader wants; those before were seen.
        held: What was held in the frames that were seen, in order; may begin late.

    Raises:
        ServeError: The world has not what is named, or cannot do it.
    """
    changes = [(since.frame, action_of(since, stream.action_space)) for since in held]
    first = stream.codec.stride.num_frames(stream.num_latent_frames)
    frames = range(first, min(start, first + MOST_PLANNED))
    if changes and frames:
        own = _own_rows(stream, len(frames))
        rows = [
            next((row for since, row in reversed(changes) if since <= frame), own[place]) for place, frame in enumerate(frames)
        ]
        stream.plan(np.stack(rows))
    return stream


def _own_rows(stream: Stream, count: int) -> NDArray[np.float32]:
    """What the stream would do in its next frames, float32 `[count, A]`; the first frame of a video has no action."""
    state = stream.seat.own
    assert state.planned is not None and state.action is not None
    planned = state.planned.flatten(0, 1).numpy()
    begun = planned if stream.num_latent_frames else np.concatenate([state.action[None].numpy(), planned])
    rest = np.broadcast_to(state.action.numpy(), (count, len(state.action)))
    return np.concatenate([begun, rest])[:count]
