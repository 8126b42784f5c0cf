"""`Client`: streams of a server, with the names that streams have here."""

import base64
from typing import Any

from torch import Tensor

from ...data import Timeline
from ...data.images import encode_image
from ...sample.prompts import Prompt
from ...sample.settings import Params, as_params
from ..protocol import messages
from .dial import Dialler
from .remote import AHEAD, RemoteStream


class Client:
    """Streams of a server.

    Args:
        url: Where the server is, such as "http://127.0.0.1:8000".
        token: What the server asks for, if it does.

    Attributes:
        url: The same.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, url: str = "http://127.0.0.1:8000", token: str | None = None):
        self.url = url
        self._dialler = Dialler(url, token)

    async def stream(
        self,
        prompt: Prompt,
        seed: int = 0,
        params: Params = None,
        first_frames: Tensor | None = None,
        *,
        pace: str = "fast",
        format: str = "png",
        max_frames: int | None = None,
    ) -> RemoteStream:
        """Starts a stream on the server; arguments as for `VideoGenerator.stream`.

        Args:
            prompt: What the video shows; may be a timeline.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen, as `SamplingParams` or a dict; `None` takes the defaults.
            first_frames: uint8 `[T, H, W, 3]`, a clip to continue, T = `1 + temporal_stride * k`.
            pace: "video" is the video's rate, "fast" as fast as frames are made.
            format: How frames travel: "png" and "webp" without loss, "jpeg" with.
            max_frames: The stream ends with this frame; `None` is when the server's limit is reached.

        Raises:
            ServeError: The server refused.
            ConnectionError: There is no server.
        """
        start: dict[str, Any] = {"type": "start", "seed": seed, **_scene(prompt)}
        start["settings"] = messages.settings_of(as_params(params)).model_dump(exclude_none=True)
        if first_frames is not None:
            start["first_frames"] = [base64.b64encode(encode_image(frame, "png")).decode() for frame in first_frames]
        return await RemoteStream.open(self._dialler, start, _delivery(pace, format, max_frames))

    async def restore(
        self, snapshot: bytes, *, pace: str = "fast", format: str = "png", max_frames: int | None = None
    ) -> RemoteStream:
        """Goes on with a snapshot, token for token; errors and arguments as for `stream`."""
        return await RemoteStream.open(
            self._dialler, {"type": "restore", "size": len(snapshot)}, _delivery(pace, format, max_frames), snapshot
        )


def _scene(prompt: Prompt) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"prompt": prompt}
    return {"timeline": [list(entry) for entry in Timeline.of(prompt).entries]}


def _delivery(pace: str, format: str, max_frames: int | None) -> dict[str, Any]:
    if format not in ("png", "webp", "jpeg"):
        raise ValueError(f"got the format {format!r}; wanted png, webp or jpeg")
    return {"pace": pace, "format": format, "credits": AHEAD, **({} if max_frames is None else {"max_frames": max_frames})}
