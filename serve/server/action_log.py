"""What was done in a stream, as lines of JSON: a head, and a line for each frame."""

import json
from collections.abc import Iterator

import numpy as np

from ...data.actions import ActionSpace
from ..protocol.errors import ServeError
from .recording import Recording


def action_lines(recording: Recording) -> Iterator[str]:
    """The lines of a stream: its head, and the action of each frame in the form of a control; `null` if it is unknown.

    Raises:
        ServeError: Nothing can be done in it.
    """
    space, actions, codec = recording.header.action_space, recording.actions, recording.codec
    if space is None or actions is None:
        raise ServeError("bad_action", "got a stream of a model without actions; wanted one of a world; save its tokens instead")
    stride = codec.stride
    head = {
        "bundle": codec.name,
        "fps": codec.fps,
        "temporal_stride": stride.frames,
        "seed": recording.seed,
        "prompts": [[stride.num_frames(start), text] for start, text in recording.past.prompts],
        "action_space": space.to_json(),
    }
    yield json.dumps(head) + "\n"
    for frame, row in enumerate(actions.tolist()):
        line = {"frame": frame, "latent_frame": stride.latent_index(frame), "action": held(row, space)}
        yield json.dumps(line) + "\n"


def held(row: list[float], space: ActionSpace) -> dict[str, object] | None:
    """What an action holds, as a control says it, in numbers that read back as float32; `None` if it is unknown."""
    if any(value != value for value in row):
        return None
    count = len(space.buttons)
    buttons = [button.name for button, value in zip(space.buttons, row[:count], strict=True) if value]
    axes = {
        axis.name: float(str(np.float32(value)))
        for axis, value in zip(space.axes, row[count:], strict=True)
        if value != axis.rest
    }
    return {"buttons": buttons, **({"axes": axes} if axes else {})}
