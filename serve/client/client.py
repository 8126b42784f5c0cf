"""`Client`: streams of a server, with the names that streams have here."""

import base64
from typing import Any
from urllib.parse import urlsplit

from torch import Tensor
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from ...data import Timeline
from ...data.images import encode_image
from ...sample import SamplingParams
from ...sample.prompts import Prompt
from ..protocol import messages
from ..protocol.errors import ServeError
from ..server.guard import TOKEN_PROTOCOL
from .remote import AHEAD, GONE, RemoteStream

_LARGEST_MESSAGE = 2**28


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
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"got the address {url!r}; wanted one such as http://127.0.0.1:8000")
        secure = "s" if parts.scheme == "https" else ""
        self.url = url
        self._address = f"ws{secure}://{parts.netloc}{parts.path.rstrip('/')}/v1/stream"
        self._protocols = [messages.SUBPROTOCOL, *([TOKEN_PROTOCOL + token] if token is not None else [])]

    async def stream(
        self,
        prompt: Prompt,
        seed: int = 0,
        params: SamplingParams | None = None,
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
            params: How tokens are chosen; `None` takes the defaults.
            first_frames: uint8 `[T, H, W, 3]`, a clip to continue, T = `1 + temporal_stride * k`.
            pace: "video" is the video's rate, "fast" as fast as frames are made.
            format: How frames travel: "png" and "webp" without loss, "jpeg" with.
            max_frames: The stream ends with this frame; `None` is when the server's limit is reached.

        Raises:
            ServeError: The server refused.
            ConnectionError: There is no server.
        """
        start: dict[str, Any] = {"type": "start", "seed": seed, **_scene(prompt)}
        start["settings"] = messages.settings_of(params or SamplingParams()).model_dump()
        if first_frames is not None:
            start["first_frames"] = [base64.b64encode(encode_image(frame, "png")).decode() for frame in first_frames]
        return await self.open(start, _playback(pace, format, max_frames))

    async def restore(
        self, snapshot: bytes, *, pace: str = "fast", format: str = "png", max_frames: int | None = None
    ) -> RemoteStream:
        """Goes on with a snapshot, token for token; errors and arguments as for `stream`."""
        return await self.open({"type": "restore", "size": len(snapshot)}, _playback(pace, format, max_frames), snapshot)

    async def open(self, begin: dict[str, Any], playback: dict[str, Any], data: bytes | None = None) -> RemoteStream:
        """Begins a stream; where one of several replicas is full, another connection may find another."""
        attempts = 0
        while True:
            remote = RemoteStream(self, playback)
            try:
                await remote.connect(begin, data)
                return remote
            except ServeError as error:
                attempts += 1
                replicas = int(remote.hello.limits.get("replicas", 1))
                if error.code not in GONE or attempts >= (2 * replicas if replicas > 1 else 1):
                    raise

    async def connect(self) -> ClientConnection:
        """A connection of the protocol.

        Raises:
            ConnectionError: There is no server, or it refused the connection.
        """
        try:
            return await connect(
                self._address,
                subprotocols=self._protocols,  # type: ignore[arg-type]
                max_size=_LARGEST_MESSAGE,
                compression=None,
                proxy=None,
            )
        except InvalidHandshake as error:
            raise ConnectionError(f"{self._address} refused the connection: {_body(error)}") from error
        except OSError as error:
            raise ConnectionError(f"cannot reach {self._address} ({error}); is the server running?") from error


def _scene(prompt: Prompt) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"prompt": prompt}
    return {"timeline": [list(entry) for entry in Timeline.of(prompt).entries]}


def _playback(pace: str, format: str, max_frames: int | None) -> dict[str, Any]:
    if format not in ("png", "webp", "jpeg"):
        raise ValueError(f"got the format {format!r}; wanted png, webp or jpeg")
    return {"pace": pace, "format": format, "credits": AHEAD, **({} if max_frames is None else {"max_frames": max_frames})}


def _body(error: InvalidHandshake) -> str:
    response = getattr(error, "response", None)
    body = getattr(response, "body", None)
    return body.decode(errors="replace") if body else str(error)
