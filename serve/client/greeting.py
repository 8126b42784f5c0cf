"""What a server's greeting says of what it knows: servers of earlier versions take fewer fields."""

from typing import Any

from ..protocol.errors import ServeError
from ..protocol.messages import Hello

_AHEAD = 24  # frames that may be on their way
_PLAYED = 4  # the same for who plays, or two latent frames


def knows_notes(hello: Hello) -> bool:
    """Whether answers can have notes: servers that know no pictures know no notes either."""
    return "picture" in hello.limits


def frames_ahead(hello: Hello, delivery: dict[str, Any]) -> int:
    """How many frames may be on their way."""
    return max(_PLAYED, 2 * hello.temporal_stride) if delivery["pace"] == "play" else _AHEAD


def fitting(begin: dict[str, Any], hello: Hello) -> dict[str, Any]:
    """A first message as a server takes it.

    Raises:
        ServeError: It has a picture that is too large.
    """
    most, size = int(hello.limits.get("picture", 0)), begin.get("picture_size", 0)
    if size > most:
        raise ServeError("too_large", f"got a picture of {size} bytes; this server takes {most}; make the picture smaller")
    notes = {"notes": True} if begin["type"] == "start" and knows_notes(hello) else {}
    return begin | notes | ({"actions": True} if "actions" in hello.limits else {})
