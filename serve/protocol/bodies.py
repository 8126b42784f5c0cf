"""The bodies of requests by HTTP and of their answers. `/openapi.json` describes them."""

from typing import Any, Literal

from pydantic import Field

from .messages import Hello
from .script import Message, Script, Settings


class StartInfo(Message):
    """How a world can begin."""

    name: str
    prompt: str | None = Field(description="what it shows, if that is said")


class Info(Hello):
    """Who serves, what it allows, and what can be done in its streams.

    The greeting of a WebSocket says less, since clients of earlier versions refuse fields that they do not know.
    """

    title: str | None = Field(None, description="what a person calls the model, if that is another name than the bundle's")
    action_space: dict[str, Any] | None = Field(None, description="buttons and axes of the world; nothing if it takes no actions")
    starts: list[StartInfo] | None = Field(None, description="frames that the world keeps to begin with, for `start_name`")
    opening: str | None = Field(None, description="a prompt for a game that begins without one")
    sampling: Settings | None = Field(None, description="how tokens are chosen if a message does not say it")


class VideoRequest(Script):
    """A finished video."""

    num_frames: int = Field(33, ge=1, description="1 + 4k")
    format: Literal["mp4", "mkv", "webp", "png", "gif", "fct"] = Field("mp4", description="fct: a token file")


class StreamRequest(Script):
    """A stream for players."""

    max_frames: int | None = Field(None, ge=1)


class PromptRequest(Message):
    """Another prompt."""

    prompt: str


class WordsReply(Message):
    """The words that the model knows."""

    words: list[str] | None = Field(description="in order; null if nobody knows them, or if they are too many to be listed")


class StreamReply(Message):
    """A stream that begins when someone watches."""

    id: str
    video: str


class PromptReply(Message):
    """The first frame for which a prompt holds, and what it was taken for."""

    frame: int
    prompt: str
