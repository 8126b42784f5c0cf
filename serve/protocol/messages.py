"""The messages of a WebSocket, as JSON. `docs/serving.md` tells in which order they follow."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from ...sample import SamplingParams
from .errors import ServeError

VERSION = 1
SUBPROTOCOL = "framecast.v1"
TOKEN_PROTOCOL = "bearer."
"""A browser cannot send headers with a WebSocket, so a subprotocol of this name with the token behind it shows the token."""


class Message(BaseModel):
    """What all messages have in common: unknown fields, NaN and numbers as text are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Seed = Annotated[int, Field(ge=0, lt=2**63, description="the same seed gives the same tokens")]
Moment = Annotated[tuple[float, str], Strict(False)]  # a JSON array is a list once Python has parsed it
RequestId = Annotated[int | None, Field(ge=0, lt=2**53, description="comes back as `reply_to`")]


class Settings(Message):
    """How tokens are chosen, as `SamplingParams`."""

    temperature: float = SamplingParams.temperature
    top_k: int | None = None
    top_p: float | None = None
    guidance_scale: float = SamplingParams.guidance_scale
    decoding: str | int = SamplingParams().way.name
    negative_prompt: Annotated[str | None, Field(max_length=4096, description="what the video is led away from")] = None

    def params(self) -> SamplingParams:
        """The checked settings.

        Raises:
            ServeError: One is out of its range.
        """
        try:
            return SamplingParams(**self.model_dump())
        except ValueError as error:
            raise ServeError("bad_settings", str(error)) from error


class Request(Message):
    """A message of the client."""

    id: RequestId = None


class Delivery(Request):
    """How frames are sent."""

    pace: Literal["video", "fast"] = Field("video", description="at the video's rate, or as fast as they are made")
    format: Literal["png", "webp", "jpeg", "h264"] = Field("png", description="png and webp are lossless; h264: fragmented mp4")
    credits: int = Field(24, ge=0, description="frames that may be sent before the client gives more credit")
    max_frames: int | None = Field(None, ge=1, description="the session ends with this frame")


class Script(Message):
    """What a video shows: one of `prompt` and `timeline`."""

    prompt: str | None = Field(None, description='such as "a red circle moves right; at 2s it stops"')
    timeline: list[Moment] | None = Field(None, min_length=1, max_length=256, description="seconds and prompts")
    seed: Seed = 0
    settings: Settings = Settings()

    def prompts(self, longest: int) -> str | list[tuple[float, str]]:
        """The prompt or the timeline, of which no text is longer than `longest` letters.

        Raises:
            ServeError: Neither or both are there, or one is too long.
        """
        if (self.prompt is None) == (self.timeline is None):
            raise ServeError("bad_prompt", "got neither or both of prompt and timeline; wanted one of them")
        texts = [self.prompt] if self.prompt is not None else [text for _, text in self.timeline or ()]
        for text in texts:
            check_prompt(text, longest)
        return self.prompt if self.prompt is not None else list(self.timeline or ())


class Start(Delivery, Script):
    """Begins a stream."""

    type: Literal["start"]
    first_frames: list[str] = Field([], description="PNG, WebP or JPEG files in base64: the video to go on from, 1 + 4k frames")


class Restore(Delivery):
    """Goes on with a snapshot, which follows as one binary message of `size` bytes."""

    type: Literal["restore"]
    size: int = Field(ge=1)


class Attach(Delivery):
    """Takes over a branch that another connection has made."""

    type: Literal["attach"]
    branch: str = Field(max_length=64)


class Recover(Delivery):
    """Goes on with a session whose server was lost, where servers keep snapshots."""

    type: Literal["recover"]
    session: str = Field(max_length=64)
    frame: int = Field(ge=0, description="the first frame that is wanted")


class Prompt(Request):
    """Changes the prompt."""

    type: Literal["prompt"]
    prompt: str


class Pause(Request):
    """Stops making frames."""

    type: Literal["pause"]


class Resume(Request):
    """Goes on making frames."""

    type: Literal["resume"]


class Snapshot(Request):
    """Asks for all of the stream as bytes."""

    type: Literal["snapshot"]


class Branch(Request):
    """Other futures from the next frame on, one for each seed; each is attached by a connection of its own."""

    type: Literal["branch"]
    seeds: list[Seed] = Field(min_length=1, max_length=4)


class Stop(Request):
    """Ends the stream; another can begin."""

    type: Literal["stop"]


class Credit(Request):
    """Lets more frames come."""

    type: Literal["credit"]
    frames: int = Field(ge=1)


ClientMessage = Annotated[
    Start | Restore | Attach | Recover | Prompt | Pause | Resume | Snapshot | Branch | Stop | Credit,
    Field(discriminator="type"),
]


class Reply(Message):
    """A message of the server."""

    reply_to: RequestId = None


class Hello(Reply):
    """The first message: who serves, and what it allows."""

    type: Literal["hello"] = "hello"
    version: int = VERSION
    server: str
    bundle: str
    height: int
    width: int
    fps: float
    temporal_stride: int
    limits: dict[str, float]


class Started(Reply):
    """The stream has begun; frames follow."""

    type: Literal["started"] = "started"
    session: str
    seed: int
    settings: Settings
    pace: str
    format: str
    frame: int = Field(description="index of the first frame that will come")
    video: str = Field(description="path of the same as a fragmented mp4, for players")
    recoverable: bool = Field(description="whether snapshots are kept for `recover`")


class Shows(Reply):
    """From this frame on, which comes next, the stream shows this prompt."""

    type: Literal["shows"] = "shows"
    frame: int
    prompt: str


class Prompted(Reply):
    """The prompt was changed."""

    type: Literal["prompted"] = "prompted"
    frame: int = Field(description="index of the first frame for which it holds")
    prompt: str


class Progress(Reply):
    """What the answers have in common that only say at which frame the stream is."""

    type: str
    frame: int


class Paused(Progress):
    """No more frames are made or sent."""

    type: Literal["paused"] = "paused"
    frame: int = Field(description="index of the frame that comes next")


class Resumed(Progress):
    """Frames come again."""

    type: Literal["resumed"] = "resumed"


class Snapshotted(Reply):
    """The snapshot follows as one binary message."""

    type: Literal["snapshotted"] = "snapshotted"
    frame: int = Field(description="index of the first frame that the restored stream gives")
    size: int


class Branched(Reply):
    """Branches wait to be attached, for a short while."""

    type: Literal["branched"] = "branched"
    frame: int = Field(description="index of their first frame")
    branches: list[str]
    seeds: list[int]


class Stopped(Progress):
    """The stream is over, since the client wanted it."""

    type: Literal["stopped"] = "stopped"
    frame: int = Field(description="frames that were sent, given ones included")


class Ended(Progress):
    """The stream has as many frames as were wanted or are allowed."""

    type: Literal["ended"] = "ended"


class Error(Reply):
    """Something was refused; where `fatal`, the connection is closed next."""

    type: Literal["error"] = "error"
    code: str
    message: str
    fatal: bool


ServerMessage = Annotated[
    Hello | Started | Shows | Prompted | Paused | Resumed | Snapshotted | Branched | Stopped | Ended | Error,
    Field(discriminator="type"),
]

_CLIENT: TypeAdapter[Any] = TypeAdapter(ClientMessage)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)


def parse_request(text: str) -> Any:
    """A message of the client.

    Raises:
        ServeError: It is none.
    """
    return _parse(text, _CLIENT)


def parse_reply(text: str) -> Any:
    """A message of the server.

    Raises:
        ServeError: It is none.
    """
    return _parse(text, _SERVER)


def check_prompt(text: str, longest: int) -> None:
    """Raises if a prompt is too long to be looked at."""
    if len(text) > longest:
        raise ServeError("bad_prompt", f"got a prompt of {len(text)} letters; wanted at most {longest}; say it shorter")


def settings_of(params: SamplingParams) -> Settings:
    """The inverse of `Settings.params`."""
    return Settings(**params.values())


def json_schema() -> dict[str, Any]:
    """JSON schemas of the messages of both sides."""
    return {"version": VERSION, "client": _CLIENT.json_schema(), "server": _SERVER.json_schema()}


def _parse(text: str, adapter: TypeAdapter[Any]) -> Any:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ServeError("bad_json", f"got a message that is not JSON ({type(error).__name__}); wanted one object") from error
    try:
        return adapter.validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise ServeError("bad_message", _first_problem(error)) from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _first_problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "got a message that is nested too deep; wanted one of the protocol"
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"got a message with a problem at {place or 'its type'}: {problem['msg']}; see /v1/schema.json for what is wanted"
