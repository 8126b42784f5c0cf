"""`Client`: streams of a server, with the names that streams have here."""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

from ...data import Timeline
from ...data.images import encode_image
from ...data.reading import read_regular
from ...sample.given import Frames, as_frames
from ...sample.params import SamplingParams
from ...sample.prompts import Prompt
from ...sample.settings import Params, as_params
from ..protocol.script import settings_of
from .dial import Dialler
from .remote import RemoteStream

_LARGEST_PICTURE = 2**26  # bytes that are read; a server takes fewer, and says how many


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
        prompt: Prompt | None = None,
        seed: int = 0,
        params: Params = None,
        first_frames: Frames | str | Path | bytes | None = None,
        *,
        start: str | None = None,
        pace: str = "fast",
        format: str = "png",
        max_frames: int | None = None,
    ) -> RemoteStream:
        """Starts a stream on the server; arguments as for `VideoGenerator.stream`.

        Args:
            prompt: What the video shows; may be a timeline. `None` is what `start` says.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen, as `SamplingParams` or a dict; `None` takes the defaults.
            first_frames: A clip to continue, uint8 `[T, H, W, 3]`, T = `1 + temporal_stride * k`, or a list of frames. Or one
                picture of any size, of which the server takes the middle: a picture of Pillow, or the path or the bytes of a PNG,
                JPEG, WebP or GIF file.
            start: The name of a start that the world keeps, to go on from.
            pace: "video" is the video's rate, "fast" as fast as frames are made. "play" is the video's rate too, but a latent
                frame is made when it is due, after the newest action was read.
            format: How frames travel: "png" and "webp" without loss, "jpeg" with.
            max_frames: The stream ends with this frame; `None` is when the server's limit is reached.

        Raises:
            ServeError: The server refused.
            ConnectionError: There is no server.
            ValueError: `first_frames` are none of these, or the file cannot be read.
        """
        begin: dict[str, Any] = {"type": "start", "seed": seed, **_scene(prompt)}
        if start is not None:
            begin["start_name"] = start
        if params is not None:
            begin["settings"] = settings_of(as_params(params)).model_dump(exclude_none=True, include=_names(params))
        picture: bytes | None = None
        if isinstance(first_frames, (str, Path, bytes, Image.Image)):
            picture = _file_of(first_frames)
            begin["picture_size"] = len(picture)
        elif first_frames is not None:
            begin["first_frames"] = [base64.b64encode(encode_image(frame, "png")).decode() for frame in as_frames(first_frames)]
        return await RemoteStream.open(self._dialler, begin, _delivery(pace, format, max_frames), picture)

    async def restore(
        self, snapshot: bytes, *, pace: str = "fast", format: str = "png", max_frames: int | None = None
    ) -> RemoteStream:
        """Goes on with a snapshot, token for token; errors and arguments as for `stream`."""
        return await RemoteStream.open(
            self._dialler, {"type": "restore", "size": len(snapshot)}, _delivery(pace, format, max_frames), snapshot
        )


def _file_of(picture: str | Path | bytes | Image.Image) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, (str, Path)):
        return read_regular(picture, _LARGEST_PICTURE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _names(params: Params) -> set[str] | None:
    """The settings that a message is to say: all of them, or those of a dict."""
    if isinstance(params, SamplingParams):
        return None
    return {"decoding" if name == "block_length" else name for name in params or ()}


def _scene(prompt: Prompt | None) -> dict[str, Any]:
    if prompt is None:
        return {}
    if isinstance(prompt, str):
        return {"prompt": prompt}
    return {"timeline": [list(entry) for entry in Timeline.of(prompt).entries]}


def _delivery(pace: str, format: str, max_frames: int | None) -> dict[str, Any]:
    if format not in ("png", "webp", "jpeg"):
        raise ValueError(f"got the format {format!r}; wanted png, webp or jpeg")
    if pace not in ("video", "fast", "play"):
        raise ValueError(f"got the pace {pace!r}; wanted video, fast or play")
    return {"pace": pace, "format": format, **({} if max_frames is None else {"max_frames": max_frames})}
